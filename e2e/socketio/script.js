// The script every JavaScript client runs against our server and against the reference one. It prints one line for each
// thing that is seen; ids and times are never printed, so two servers that behave alike give the same lines.
//
//   node script.js client2|client3|client4 polling|upgrade|websocket http://127.0.0.1:PORT
"use strict";

const [name, mode, url] = process.argv.slice(2);
const io = require(name);
const recovers = name === "client4";
const say = (what, ...details) => console.log(what, ...details.map((d) => JSON.stringify(d, readable)));

// Binary data is printed as hex, whatever type the client makes of it.
function readable(key, value) {
  if (value && value.type === "Buffer") return "hex:" + Buffer.from(value.data).toString("hex");
  if (value instanceof ArrayBuffer) return "hex:" + Buffer.from(value).toString("hex");
  return value;
}

const transports = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] }[mode];

function open(path = "", more = {}) {
  const query = recovers ? { recovery: "1" } : undefined;
  return io(url + path, { transports, forceNew: true, reconnectionDelay: 200, randomizationFactor: 0, query, ...more });
}

// once resolves with the arguments of the next such event, without the offset that recovery adds to them.
const once = (socket, event) =>
  new Promise((resolve) => {
    const listener = (...args) => {
      socket.off(event, listener);
      // The client notes the offset after it has told its listeners.
      queueMicrotask(() => resolve(recovers && args.length && args.at(-1) === socket._lastOffset ? args.slice(0, -1) : args));
    };
    socket.on(event, listener);
  });

const many = (socket, event, count) =>
  new Promise((resolve) => {
    const seen = [];
    const listener = (value) => {
      seen.push(value);
      if (seen.length === count) {
        socket.off(event, listener);
        resolve(seen);
      }
    };
    socket.on(event, listener);
  });

const ask = (socket, event, ...args) => new Promise((resolve) => socket.emit(event, ...args, (...answer) => resolve(answer)));

async function upgraded(socket) {
  const engine = socket.io.engine;
  if (mode === "upgrade" && engine.transport.name !== "websocket") await new Promise((r) => engine.once("upgrade", r));
  return engine.transport.name;
}

async function connect(path, more) {
  const socket = open(path, more);
  const auth = once(socket, "auth");
  await once(socket, "connect");
  say("connected", path || "/", typeof socket.id, await upgraded(socket), "auth", await auth);
  return socket;
}

async function rooms(a, b) {
  say("join", await ask(a, "join", "комната"), await ask(b, "join", "комната"));
  const both = Promise.all([once(a, "published"), once(b, "published")]);
  a.emit("publish", "комната", { text: "Привет, мир! 👋🏽 𝄞", n: 1.5, list: [true, null] });
  say("published", await both);
}

async function messages(s) {
  let back = once(s, "message-back");
  s.emit("message", 1, "2", { 3: [true] }, "ёжик 🦔 \u2028 \u001e \" \\ </script>");
  say("message-back", await back);
  say("ack", await ask(s, "message-with-ack", 1, "два 2️⃣", { 3: [false] }));
  say("empty ack", await ask(s, "message-with-ack"));
  s.once("question", (...args) => args.pop()({ answer: "да ✅", to: args[0] }));
  const answered = once(s, "answered");
  s.emit("ask", "what?");
  say("answered", await answered);
}

async function binary(s) {
  const back = once(s, "message-back");
  s.emit("message", Buffer.from([1, 2, 3]), { deep: [Buffer.from("бинарь")] }, "text");
  say("binary", await back);
  say("binary ack", await ask(s, "message-with-ack", Buffer.from([4, 5, 6]), { k: Buffer.alloc(0) }));
  const big = Buffer.alloc(100000, 7);
  const [echoed] = await ask(s, "message-with-ack", big);
  say("big", Buffer.compare(Buffer.from(echoed), big));
}

async function bursts(s) {
  const ticks = many(s, "tick", 40);
  s.emit("burst", 40);
  say("ticks", await ticks);
  const back = many(s, "message-back", 40);
  for (let i = 0; i < 40; i++) s.emit("message", "№" + i);
  say("burst back", await back);
}

async function namespaces(s) {
  const custom = s.io.socket("/custom", { auth: { token: "жетон" } });
  const auth = once(custom, "auth");
  await once(custom, "connect");
  say("custom", await auth);
  const gone = once(custom, "disconnect");
  custom.disconnect();
  say("custom left", await gone);
  const unknown = s.io.socket("/random");
  const error = await once(unknown, name === "client2" ? "error" : "connect_error");
  say("random", name === "client2" ? error : error[0].message);
  say("main goes on", await ask(s, "message-with-ack", "still here"));
}

async function idle(s) {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => s.io.engine.once("pong", resolve));
  say("idle", s.connected, await ask(s, "message-with-ack", "awake"));
}

// The transport is cut; while one client is away the other one publishes. Only a recovered client hears of it.
async function cut(s, other) {
  const missed = recovers ? once(s, "published") : null;
  const away = once(s, "disconnect");
  s.emit("cut");
  say("cut", (await away)[0]);
  const published = once(other, "published");
  const back = once(s, "connect");
  other.emit("publish", "комната", "while you were away");
  say("other hears", await published);
  await back;
  say("back", await upgraded(s), Boolean(s.recovered));
  if (recovers) say("missed", (await missed)[0]);
  else say("join again", await ask(s, "join", "комната"));
  const again = Promise.all([once(s, "published"), once(other, "published")]);
  s.emit("publish", "комната", "again");
  say("again", await again);
}

async function main() {
  const s = await connect("");
  const other = await connect("", recovers ? { auth: { who: "other" } } : {});
  await rooms(s, other);
  await messages(s);
  await binary(s);
  await bursts(s);
  await namespaces(s);
  await idle(s);
  await cut(s, other);
  other.disconnect();
  const drained = once(s, "disconnect");
  console.log("drain please");
  // Whether a client notices the end of its poll or the closed port first is chance.
  say("drained", (await drained)[0].replace(/transport (close|error)/, "transport lost"));
  process.exit(0); // the refused namespace would keep the connection coming back
}

main().catch((error) => {
  console.log("failed", error);
  process.exit(1);
});
