// One script for every build and transport of the reference client. It ends with
// the line PASS; at the line DRAIN it waits for the server to be stopped.
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
const { make, codec, sockets } = await clientMaker(options);
const { encode, decode } = codec;
const line = (i) => ({ n: i, text: `Сообщение ${i}: ёжик 🦔 <b>"кавычки"</b>\nи перевод строки` });
const lines = (from, count) => Array.from({ length: count }, (_, i) => line(from + i));

// The second client speaks to the first.
const other = make({ token: 'other' });
const client = make({ token: 'alice', data: encode({ привет: '👋' }) });
client.on('error', (ctx) => console.error('client error', JSON.stringify(ctx)));

const steps = {
  async connect() {
    const userSub = next(client, 'subscribed', (ctx) => ctx.channel === 'user');
    const connected = next(client, 'connected');
    client.connect();
    const ctx = await connected;
    assert.match(ctx.client, /^[0-9a-f-]{36}$/);
    assert.deepEqual(decode(ctx.data), { привет: '👋' });
    const sub = await userSub;
    assert.equal(sub.positioned, true);
    assert.equal(sub.recoverable, true);
    assert.ok(sub.streamPosition.epoch);
    other.connect();
    await other.ready(8000);
  },

  async subscribe() {
    this.room = client.newSubscription('комната', { data: encode({ d: 1 }), joinLeave: true });
    const subscribed = next(this.room, 'subscribed');
    this.room.subscribe();
    const ctx = await subscribed;
    assert.equal(ctx.recoverable, true);
    assert.equal(ctx.wasRecovering, false);
    assert.deepEqual(decode(ctx.data), { d: 1 });
  },

  async 'a burst of 40'() {
    const got = collect(this.room, 'комната', decode, 40);
    for (const message of lines(1, 40)) {
      other.publish('комната', encode(message));
    }
    // Over HTTP each publish is a request of its own, and centrifuge-js 5.2 mixes
    // up frames that come at once: there only the set is the server's doing.
    const inOrder = options.transport === 'websocket' && options.version !== '5.2';
    const received = await got;
    assert.deepEqual(inOrder ? received : received.sort((a, b) => a.n - b.n), lines(1, 40));
  },

  async 'acknowledged publish'() {
    const published = next(this.room, 'publication');
    await this.room.publish(encode(line(41)));
    const ctx = await published;
    assert.deepEqual(decode(ctx.data), line(41));
    assert.equal(ctx.offset, 41);
    assert.equal(ctx.info.user, 'alice');
  },

  async rpc() {
    const value = { тест: ['Ё', '🙂', null, 1.5, { a: [] }], long: 'ж'.repeat(20_000) };
    const reply = await client.rpc('echo', encode(value));
    assert.deepEqual(decode(reply.data), value);
    await assert.rejects(client.rpc('нет', encode(1)), (err) => err.code === 104);
  },

  async binary() {
    if (options.protocol !== 'protobuf') {
      return;
    }
    const bytes = Uint8Array.from({ length: 1024 }, (_, i) => i % 256);
    const reply = await client.rpc('echo', bytes);
    assert.deepEqual(Uint8Array.from(reply.data), bytes);
  },

  async message() {
    const message = next(client, 'message');
    await client.send(encode({ s: 'туда и обратно' }));
    assert.deepEqual(decode((await message).data), { s: 'туда и обратно' });
  },

  async history() {
    const last = await this.room.history({ limit: 3, reverse: true });
    assert.deepEqual(last.publications.map((p) => p.offset), [41, 40, 39]);
    assert.deepEqual(decode(last.publications[0].data), line(41));
    assert.equal(last.offset, 41);
    const since = await this.room.history({ limit: 2, since: { offset: 5, epoch: last.epoch } });
    assert.deepEqual(since.publications.map((p) => p.offset), [6, 7]);
    const top = await this.room.history();
    assert.equal(top.publications.length, 0);
    await assert.rejects(
      this.room.history({ limit: 1, since: { offset: 5, epoch: 'another' } }),
      (err) => err.code === 112,
    );
    await assert.rejects(client.history('чужой', { limit: 1 }), (err) => err.code === 103);
  },

  async 'presence, join and leave'() {
    const guest = other.newSubscription('комната', { joinLeave: true });
    const join = next(this.room, 'join', (ctx) => ctx.info.user === 'other');
    guest.subscribe();
    await join;
    const { clients } = await this.room.presence();
    assert.deepEqual(Object.values(clients).map((info) => info.user).sort(), ['alice', 'other']);
    const stats = await this.room.presenceStats();
    assert.equal(stats.numClients, 2);
    assert.equal(stats.numUsers, 2);
    const leave = next(this.room, 'leave', (ctx) => ctx.info.user === 'other');
    guest.unsubscribe();
    await leave;
    await assert.rejects(client.presence('user'), (err) => err.code === 108);
  },

  async 'a channel that is refused'() {
    const sub = client.newSubscription('forbidden');
    const unsubscribed = next(sub, 'unsubscribed');
    sub.subscribe();
    assert.equal((await unsubscribed).code, 103);
  },

  async 'a channel that is granted already'() {
    const sub = client.newSubscription('user');
    const unsubscribed = next(sub, 'unsubscribed');
    sub.subscribe();
    assert.equal((await unsubscribed).code, 105);
    // specs/twin.md §7.3: an old client keeps events on the subscription it was
    // refused, a new one has them on itself.
    const where = options.version === '5.2' ? sub : client;
    const got = collect(where, 'user', decode, 1);
    await other.rpc('say', encode({ after: 105 }));
    assert.deepEqual(await got, [{ after: 105 }]);
    client.removeSubscription(sub);
  },

  async 'server-side subscription'() {
    const subscribed = next(client, 'subscribed', (ctx) => ctx.channel === 'зал');
    await client.rpc('enter', encode('зал'));
    assert.equal((await subscribed).recoverable, true);
    const got = collect(client, 'зал', decode, 3);
    for (const message of lines(1, 3)) {
      await other.publish('зал', encode(message));
    }
    assert.deepEqual(await got, lines(1, 3));
    const unsubscribed = next(client, 'unsubscribed', (ctx) => ctx.channel === 'зал');
    await client.rpc('leave', encode('зал'));
    await unsubscribed;
  },

  async 'cut by the server, recovered'() {
    await this.cutAndRecover(3011, () => client.rpc('cut', encode(null)).catch(() => {}));
  },

  async 'cut in the network, recovered'() {
    if (options.transport !== 'websocket') {
      return;
    }
    // The first socket is the client's, the second the other's.
    await this.cutAndRecover(1, () => sockets.filter((s) => s.readyState === 1).at(-1).terminate());
  },

  async 'idle through heartbeats, refreshed on the way'() {
    const expiring = make({ token: 'expiring', getToken: async () => 'expiring' });
    const lost = [];
    for (const c of [client, expiring]) {
      c.on('connecting', (ctx) => c.state === 'connecting' && lost.push(ctx));
    }
    const connected = next(expiring, 'connected');
    expiring.connect();
    await connected;
    lost.length = 0; // its first connecting
    const sub = expiring.newSubscription('истекает', { token: 'expiring', getToken: async () => 'expiring' });
    sub.subscribe();
    await sub.ready(5000);
    await new Promise((resolve) => setTimeout(resolve, 5500));
    assert.deepEqual(lost, []);
    assert.equal(sub.state, 'subscribed');
    assert.deepEqual(decode((await client.rpc('echo', encode('жив'))).data), 'жив');
    expiring.disconnect();
  },

  async 'wrong token'() {
    const stranger = make({ token: 'wrong' });
    const disconnected = next(stranger, 'disconnected');
    stranger.connect();
    assert.equal((await disconnected).code, 3500);
  },

  async drain() {
    const both = [client, other].map((c) => next(c, 'connecting'));
    console.log('DRAIN');
    for (const ctx of await Promise.all(both)) {
      assert.equal(ctx.code, 3001);
      assert.equal(ctx.reason, 'shutdown');
    }
    client.disconnect();
    other.disconnect();
  },

  // cutAndRecover cuts the client off, publishes while it is away and expects
  // everything, once and in order, on both kinds of subscriptions.
  async cutAndRecover(code, cut) {
    const seen = [];
    this.room.on('publication', (ctx) => seen.push(decode(ctx.data).n));
    const own = collect(this.room, 'комната', decode, 20);
    const said = [0, 4, 8, 12, 16].map((i) => ({ i }));
    if (options.version === '5.2' && code === 3011) {
      // What it had on the refused subscription did not move the position it
      // keeps for the channel, so it asks for that again.
      said.unshift({ after: 105 });
    }
    const user = collect(client, 'user', decode, said.length);
    const connecting = next(client, 'connecting');
    const resubscribed = next(this.room, 'subscribed');
    const userAgain = next(client, 'subscribed', (ctx) => ctx.channel === 'user');
    const sent = lines(100, 20);
    cut();
    assert.equal((await connecting).code, code);
    for (const [i, message] of sent.entries()) {
      await other.publish('комната', encode(message));
      if (i % 4 === 0) {
        await other.rpc('say', encode({ i }));
      }
    }
    assert.deepEqual(await own, sent);
    assert.deepEqual(await user, said);
    for (const ctx of [await resubscribed, await userAgain]) {
      assert.equal(ctx.recovered, true, ctx.channel);
      assert.equal(ctx.wasRecovering, true, ctx.channel);
    }
    await this.room.publish(encode(line(0)));
    assert.deepEqual(seen, [...sent.map((m) => m.n), 0]);
    this.room.removeAllListeners('publication');
  },
};

for (const [name, step] of Object.entries(steps)) {
  if (name === 'cutAndRecover') {
    continue;
  }
  try {
    await step.call(steps);
    console.log('ok', name);
  } catch (err) {
    console.error(`FAIL ${name}:`, err);
    process.exit(1);
  }
}
console.log('PASS');
process.exit(0);
