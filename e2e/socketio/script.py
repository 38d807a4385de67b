"""The script python3-socketio runs against our server and against the reference one; see script.js.

    /usr/bin/python3 script.py polling|upgrade|websocket BURST http://127.0.0.1:PORT

BURST is how many events come at once. This client drops a poll with more than 16 packets, and the reference server
sends such polls: over polling only our server can be asked for more.
"""
import json
import os
import queue
import sys

import socketio

mode, burst, url = sys.argv[1], int(sys.argv[2]), sys.argv[3]
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}[mode]
WAIT = 30


def readable(value):
    return "hex:" + value.hex() if isinstance(value, bytes) else str(value)


def say(what, *details):
    print(what, *(json.dumps(d, default=readable, ensure_ascii=False) for d in details), flush=True)


class Client:
    """A client whose events wait in queues until the script asks for them."""

    EVENTS = ("auth", "message-back", "published", "tick", "answered", "connect", "disconnect")

    def __init__(self):
        self.sio = socketio.Client(reconnection_delay=0.2, randomization_factor=0)
        self.seen = {event: queue.Queue() for event in self.EVENTS}
        self.custom = queue.Queue()
        for event in self.EVENTS:
            self.sio.on(event, self._keep(event))
        self.sio.on("question", lambda *args: {"answer": "да ✅", "to": args[0]})
        self.sio.on("auth", lambda *args: self.custom.put(list(args)), namespace="/custom")
        self.connect()
        say("connected", self.sio.transport(), "auth", self.next("auth"), "custom", self.custom.get(timeout=WAIT))

    def connect(self):
        self.sio.connect(url, transports=TRANSPORTS, auth={"who": "питон 🐍"}, namespaces=["/", "/custom"],
                         wait_timeout=WAIT)  # of itself it gives the namespaces one second, too little on a busy machine

    def _keep(self, event):
        return lambda *args: self.seen[event].put(list(args))

    def next(self, event):
        return self.seen[event].get(timeout=WAIT)

    def ask(self, event, *args):
        return self.sio.call(event, args, timeout=WAIT)


def main():
    a, b = Client(), Client()
    a.next("connect"), b.next("connect")
    say("join", a.ask("join", "комната"), b.ask("join", "комната"))
    a.sio.emit("publish", ("комната", {"text": "Привет, мир! 👋🏽 𝄞", "n": 1.5, "list": [True, None]}))
    say("published", a.next("published"), b.next("published"))
    a.sio.emit("message", (1, "2", {"3": [True]}, "ёжик 🦔 \u2028 \x1e \" \\"))
    say("message-back", a.next("message-back"))
    say("ack", a.ask("message-with-ack", 1, "два 2️⃣", {"3": [False]}))
    a.sio.emit("ask", "what?")
    say("answered", a.next("answered"))
    a.sio.emit("message", (b"\x01\x02\x03", {"deep": ["бинарь".encode()]}, "text"))
    say("binary", a.next("message-back"))
    say("binary ack", a.ask("message-with-ack", b"\x04\x05\x06", {"k": b"\x00"}))
    a.sio.emit("burst", burst)
    say("ticks", [a.next("tick")[0] for _ in range(burst)])
    for i in range(burst):
        a.sio.emit("message", f"№{i}")
    say("burst back", [a.next("message-back")[0] for _ in range(burst)])
    a.sio.sleep(1.2)  # four heartbeats, which this client reports to nobody
    say("idle", a.sio.connected, a.ask("message-with-ack", "awake"))
    a.sio.emit("cut")
    a.next("disconnect")
    b.sio.emit("publish", ("комната", "while you were away"))
    say("other hears", b.next("published"))
    if mode == "polling":  # this client takes the end of its poll as a good-bye
        a.connect()
    a.next("connect")
    say("back", a.sio.transport(), a.next("auth"), a.ask("join", "комната"))
    a.sio.emit("publish", ("комната", "again"))
    say("again", a.next("published"), b.next("published"))
    print("drain please", flush=True)
    a.next("disconnect")
    say("drained")
    sys.stdout.flush()
    os._exit(0)  # threads of this client try to reconnect for ever


main()
