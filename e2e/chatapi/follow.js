// Follows a client on connection "js" and prints what comes, an event a line,
// until the words "the end": node follow.js CHANNEL CLIENT.
'use strict';

const { ChatApi } = require('./client.js');

(async () => {
  const client = new ChatApi(process.argv[2], process.argv[3], 'js');
  for await (const { type, event } of client.follow({ ts: 0, all: true })) {
    console.log(JSON.stringify({ type, questionId: event.questionId, words: event.query ?? event.data.answer }));
    if (event.data?.answer === 'the end') return;
  }
})();
