// What the scenario needs of a client, whatever it speaks and travels by.
import { EventSource } from 'eventsource';
import WebSocket from 'ws';

const builds = {
  'json 5.8': () => import('centrifuge'),
  'protobuf 5.8': () => import('centrifuge/build/protobuf'),
  'json 5.2': () => import('centrifuge-5-2'),
};

const paths = { websocket: 'websocket', http_stream: 'http_stream', sse: 'sse' };

// clientMaker returns a function that makes clients, and the codec of payloads:
// JSON for a client that speaks JSON, bytes with JSON in them for Protobuf.
export async function clientMaker({ base, transport, protocol, version }) {
  const { Centrifuge } = await builds[`${protocol} ${version}`]();
  const sockets = [];
  class Socket extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.push(this);
    }
  }
  const endpoint = `${base}/connection/${paths[transport]}`;
  const make = (options = {}) =>
    new Centrifuge([{ transport, endpoint: transport === 'websocket' ? endpoint.replace('http', 'ws') : endpoint }], {
      websocket: Socket,
      eventsource: EventSource,
      emulationEndpoint: `${base}/emulation`,
      minReconnectDelay: 200,
      maxReconnectDelay: 400,
      maxServerPingDelay: 1500,
      timeout: 8000,
      ...options,
    });
  const text = new TextEncoder();
  const codec =
    protocol === 'protobuf'
      ? { encode: (v) => text.encode(JSON.stringify(v)), decode: (b) => JSON.parse(new TextDecoder().decode(b)) }
      : { encode: (v) => v, decode: (v) => v };
  return { make, codec, sockets };
}

// next resolves with the next event of that name that passes the test.
export function next(emitter, event, test = () => true, ms = 10_000) {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      emitter.removeListener(event, listener);
    };
    const listener = (ctx) => {
      if (test(ctx)) {
        done();
        resolve(ctx);
      }
    };
    const timer = setTimeout(() => {
      done();
      reject(new Error(`no event "${event}" within ${ms} ms`));
    }, ms);
    emitter.on(event, listener);
  });
}

// collect gathers publications and resolves with their payloads once there are
// as many as wanted.
export function collect(emitter, channel, decode, wanted) {
  const got = [];
  return next(emitter, 'publication', (ctx) => {
    if (ctx.channel === channel) {
      got.push(decode(ctx.data));
    }
    return got.length === wanted;
  }).then(
    () => got,
    (err) => {
      throw new Error(`${err.message}; got ${got.length} of ${wanted} publications: ${JSON.stringify(got)}`);
    },
  );
}
