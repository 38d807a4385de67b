// A client that was given the URL literally: io("http://host/operator/socket.io/?key=K") asks /socket.io/ for the namespace
// /operator/socket.io/ (specs/live.md §2.8).
//
//   node alias.js client2|client3|client4 polling|upgrade|websocket http://127.0.0.1:PORT
"use strict";

const [name, mode, url] = process.argv.slice(2);
const transports = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] }[mode];
const socket = require(name)(url + "/operator/socket.io/?key=K", { transports, forceNew: true });

socket.on("published", (value) => {
  console.log("published", value);
  if (value === "last") {
    console.log("namespace", socket.nsp);
    process.exit(0);
  }
});
socket.on("connect", () => {
  socket.emit("join", "room", () => {
    socket.emit("publish", "room", "once");
    socket.emit("publish", "room", "last");
  });
});
