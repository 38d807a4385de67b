// A client that subscribes to a channel the server has subscribed it to, against
// a server that answers OK (specs/twin.md §7.3): events then come to the
// subscription object, in every version. It ends with the line PASS.
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { clientMaker, collect, next } from './client.mjs';

const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    transport: { type: 'string' },
    protocol: { type: 'string' },
    version: { type: 'string' },
  },
});
const { make, codec } = await clientMaker(options);
const client = make({ token: 'alice' });
const granted = next(client, 'subscribed', (ctx) => ctx.channel === 'user');
client.connect();
await granted;

const sub = client.newSubscription('user');
const subscribed = next(sub, 'subscribed');
sub.subscribe();
assert.equal((await subscribed).recoverable, true);

const got = collect(sub, 'user', codec.decode, 2);
await client.rpc('say', codec.encode({ n: 1 }));
await client.rpc('say', codec.encode({ n: 2 }));
assert.deepEqual(await got, [{ n: 1 }, { n: 2 }]);
console.log('PASS');
process.exit(0);
