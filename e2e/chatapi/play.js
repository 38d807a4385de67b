// Plays the examples of the Chat API and prints what was answered, a line of
// JSON for each: node play.js SERVER TOKEN1 … TOKEN6, a channel for each.
'use strict';

const { ChatApi, Refused } = require('./client.js');

const [server, ...tokens] = process.argv.slice(2);
let exchange;

const channel = (prefix = '/chatapi/') => server + prefix + tokens[exchange - 1];

async function step(name, call) {
  let status = 200;
  let body;
  try {
    body = await call;
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    ({ status, body } = problem);
  }
  console.log(JSON.stringify({ exchange: `E${exchange}`, step: name, status, body }));
}

// operator writes to a client as Anna does in the console.
async function operator(clientId, text) {
  const api = async (path, body, token) => {
    const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(`${server}/console/api${path}`, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const { token } = await api('/login', { login: 'ann', password: 'correct-horse-1' });
  const { items } = await api(`/conversations?external_id=${clientId}`, undefined, token);
  await api(`/conversations/${items[0].id}/messages`, { text }, token);
}

const exchanges = [
  async () => {
    await step('ask', new ChatApi(channel(), 'u-1', 'tab-A').send({ query: 'hello' }));
  },
  async () => {
    const other = new ChatApi(channel('/chatadapter/chatapi/'), 77);
    await step('simple', other.sendSimply({ query: 'привет' }));
    await step('number', other.send({ query: 'again' }));
    await step('no question', new ChatApi(channel(), 77).sendSimply({}));
    await step('unknown token', new ChatApi(`${server}/chatapi/nope`, 77).sendSimply({ query: 'x' }));
  },
  async () => {
    const client = new ChatApi(channel(), 'u-1');
    await step('menu', client.send({ query: 'menu' }));
    const file = { url: 'http://127.0.0.1/a.pdf', type: 'file', mimeType: 'application/pdf', name: 'a.pdf', size: 10 };
    await step('file', client.send({ event: 'fileEvent', data: { eventData: [file] } }));
  },
  async () => {
    await step('async', new ChatApi(channel(), 'u-2').async({ query: 'slow' }));
  },
  async () => {
    const [whole, a, b] = [undefined, 'A', 'B'].map((cid) => new ChatApi(channel(), 'u-3', cid));
    await step('operator', a.send({ query: 'operator' }));
    await step('anyone', a.send({ query: 'anyone?' }));
    await operator('u-3', 'I am here');
    await step('default', whole.events({ ts: '2024-05-01T10:00:00.000' }));
    await step('all for B', b.events({ ts: 1714557600000, all: true }));
    await step('all for A', a.events({ ts: 1714557600000, all: true }));
    await step('garbage', whole.events({ ts: 'garbage' }));
    await step('nothing', whole.events({ ts: Date.now() + 1 }));
  },
  async () => {
    const odd = new ChatApi(channel(), 'u/4');
    await step('save', odd.saveState({ open: true, x: [1, null] }));
    await step('saved', odd.state());
    const client = new ChatApi(channel(), 'u-1');
    await client.send({ query: 'one', questionId: 'q-1' });
    await client.send({ query: 'two', questionId: 'q-2' });
    await step('unread', client.unread());
    await step('read', client.setStatus('q-1', 'READ'));
    await step('status', client.status('q-1'));
    await step('seen', client.setStatus('q-1', 'SEEN'));
    await step('bulk', client.setStatuses([{ questionId: 'q-2', status: 'READ' }]));
    await step('all read', client.unread());
  },
];

(async () => {
  for (exchange = 1; exchange <= exchanges.length; exchange++) await exchanges[exchange - 1]();
})();
