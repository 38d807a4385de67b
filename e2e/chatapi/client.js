// A client of the Chat API, written from its description alone: what an
// application does with it, with nothing but the fetch of Node or of a browser.
'use strict';

// Refused is an answer other than 200: status and the decoded body.
class Refused extends Error {
  constructor(status, body) {
    super(`${status}: ${body?.message ?? body?.error ?? 'no reason given'}`);
    this.status = status;
    this.body = body;
  }
}

// remembered is how many events a client keeps in mind to drop repeated ones.
const remembered = 1000;

class ChatApi {
  // channel is the address with the token: https://host/chatapi/TOKEN. cid names
  // this connection: a tab, a device; leave it out if there is only one.
  constructor(channel, clientId, cid) {
    this.channel = channel;
    this.clientId = clientId;
    this.cid = cid;
  }

  // send asks the bot, {query} or {event, data}, and returns its answer.
  send(question) { return this.#post('', this.#question(question)); }

  // sendSimply is send by GET: {query} or {event}.
  sendSimply(question) { return this.#get('', { clientId: this.clientId, ...question }); }

  // async asks and returns {questionId} at once; the answer comes by the webhook
  // and by events.
  async(question) { return this.#post('/async', this.#question(question)); }

  // events is one poll. ts: a timestamp of an event or Unix time; left out: what
  // is new since the last such call.
  events({ ts, all, signal } = {}) {
    return this.#get('/events', { clientId: this.clientId, ts, all, cid: this.cid }, signal);
  }

  // history is the dialogue of a period.
  history({ from, to, limit } = {}) { return this.#get(this.#path('history'), { from, to, limit }); }

  state() { return this.#get(this.#path('state')); }
  saveState(state) { return this.#post(this.#path('state') + query({ cid: this.cid }), state); }

  status(questionId) { return this.#get(this.#path('message', questionId, 'status')); }
  setStatus(questionId, status) { return this.#post(this.#path('message', questionId, 'status'), { status }); }
  setStatuses(statuses) { return this.#post(this.#path('message-statuses'), { statuses }); }
  unread() { return this.#get(this.#path('message-not-read-count')); }

  // follow yields every event once, in order, for as long as it is read. It
  // begins at ts, or with what is new. A poll that breaks off is repeated from
  // the last event on: what comes again is known by its id.
  async *follow({ ts, all, signal } = {}) {
    const seen = new Set();
    let last = ts;
    for (;;) {
      let page;
      try {
        page = await this.events({ ts, all, signal });
        ts = undefined; // go on where the server knows we are
      } catch (problem) {
        if (signal?.aborted) return;
        if (problem instanceof Refused && problem.status < 500) throw problem;
        await new Promise((resolve) => { setTimeout(resolve, 1000); });
        ts = last;
        continue;
      }
      for (const event of page.events) {
        const key = `${event.type} ${event.event.questionId ?? event.event.timestamp}`;
        if (seen.has(key)) continue;
        seen.add(key);
        if (seen.size > remembered) seen.delete(seen.values().next().value);
        yield event;
      }
      last = page.events.at(-1)?.event.timestamp ?? last;
      if (page.hasMore) ts = last;
    }
  }

  #question(question) { return { clientId: this.clientId, cid: this.cid, ...question }; }

  #path(...parts) { return ['/client', this.clientId, ...parts].map((part, i) => (i ? encodeURIComponent(part) : part)).join('/'); }

  #get(path, parameters = {}, signal) { return call(this.channel + path + query(parameters), { signal }); }

  #post(path, body) {
    return call(this.channel + path, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    });
  }
}

// query is ?name=value… of what is given, "" for nothing.
function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : '';
}

async function call(url, options) {
  const response = await fetch(url, options);
  const body = await response.json();
  if (response.status !== 200) throw new Refused(response.status, body);
  return body;
}

module.exports = { ChatApi, Refused };
