// A reference Socket.IO server with the events of our echo server.
//
//   node reference.js server2|server4 [recovery]
"use strict";

const [name, recovery] = process.argv.slice(2);
const options = { pingInterval: 300, pingTimeout: 200, maxHttpBufferSize: 1e6, connectTimeout: 1500, serveClient: false };
const http = require("http").createServer();
let io;
if (name === "server2") {
  io = require("server2")(http, options);
} else {
  if (recovery) options.connectionStateRecovery = { maxDisconnectionDuration: 120000 };
  io = new (require("server4").Server)(http, options);
}

const greet = (socket) => socket.emit("auth", socket.handshake.auth || {});

io.on("connection", (socket) => {
  greet(socket);
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => args.pop()(...args));
  socket.on("join", (room, ack) => {
    const joined = socket.join(room, () => ack("joined"));
    if (joined !== socket) Promise.resolve(joined).then(() => ack("joined"));
  });
  socket.on("publish", (room, value) => io.to(room).emit("published", value));
  socket.on("ask", (...args) => socket.emit("question", ...args, (...answer) => socket.emit("answered", ...answer)));
  socket.on("burst", (count) => {
    for (let i = 0; i < count; i++) socket.emit("tick", i);
  });
  socket.on("cut", () => socket.conn.close());
});
io.of("/custom").on("connection", greet);

http.listen(0, "127.0.0.1", () => console.log("listening on 127.0.0.1:" + http.address().port));
process.on("SIGTERM", () => {
  io.close();
  setTimeout(() => process.exit(0), 500).unref();
});
