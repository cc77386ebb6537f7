// The least that a Durable Object can do: it sends one string to every socket. A socket that misses something has missed
// it. `DATABASE` says what it does before that:
//
// - nothing, if it is not set; the object asks nobody who they are and remembers nothing;
// - `one batch`: one batch of D1, which inserts the event and updates the doctor;
// - `own`: the object looks the session up, updates the doctor and inserts the event in its own SQLite.

import { actionOf, changeOf, echo, greeting, notification } from "./messages.js";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, action TEXT NOT NULL, doctor_id INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS doctors (id INTEGER PRIMARY KEY, is_live INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, doctor_id INTEGER NOT NULL, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
`;

const SESSION_MS = 10 * 3600 * 1000;

export class Room {
  constructor(state, env) {
    this.state = state;
    this.env = env;
    this.sql = state.storage.sql;
    if (env.DATABASE === "own") this.sql.exec(SCHEMA);
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/ws/")) return this.join(url);
    if (url.pathname === "/api/users/login/") return this.signIn(Number(url.searchParams.get("doctor")));
    const change = changeOf(url);
    if (!change) return new Response(null, { status: 404 });
    let seq = 1;
    if (this.env.DATABASE === "one batch") seq = await this.recordInD1(change);
    if (this.env.DATABASE === "own") {
      change.doctor = this.callerOf(request);
      if (!change.doctor) return new Response(null, { status: 401 });
      seq = this.record(change);
    }
    const text = notification(change, seq);
    for (const socket of this.state.getWebSockets("watcher")) socket.send(text);
    return Response.json({ status: "success" });
  }

  /** Without a password: the bench signs doctors in before it measures. */
  signIn(doctor) {
    if (this.env.DATABASE !== "own") return new Response(null, { status: 404 });
    const token = crypto.getRandomValues(new Uint8Array(32)).toHex();
    this.sql.exec("INSERT OR IGNORE INTO doctors (id, is_live) VALUES (?, 0)", doctor);
    this.sql.exec("INSERT INTO sessions VALUES (?, ?, ?)", token, doctor, Date.now() + SESSION_MS);
    return Response.json({ token });
  }

  callerOf(request) {
    const token = request.headers.get("Authorization")?.slice("Token ".length) ?? "";
    const query = "SELECT doctor_id FROM sessions WHERE token = ? AND expires_ms > ?";
    return this.sql.exec(query, token, Date.now()).toArray()[0]?.doctor_id;
  }

  /** The runtime makes one transaction of both, because nothing is awaited between them. */
  record({ doctor, live, at }) {
    this.sql.exec("UPDATE doctors SET is_live = ? WHERE id = ?", live, doctor);
    const insert = "INSERT INTO events (at, action, doctor_id) VALUES (?, ?, ?) RETURNING seq";
    return this.sql.exec(insert, at, actionOf(live), doctor).one().seq;
  }

  async recordInD1({ doctor, live, at }) {
    const db = this.env.DB;
    const insert = "INSERT INTO events (at, action, doctor_id) VALUES (?, ?, ?) RETURNING seq";
    const [inserted] = await db.batch([
      db.prepare(insert).bind(at, actionOf(live), doctor),
      db.prepare("UPDATE doctors SET is_live = ? WHERE id = ?").bind(live, doctor),
    ]);
    return inserted.results[0].seq;
  }

  join(url) {
    const { 0: client, 1: server } = new WebSocketPair();
    if (url.pathname === "/ws/doctor-status/") {
      this.state.acceptWebSocket(server, ["watcher"]);
    } else {
      this.state.acceptWebSocket(server, ["connection"]);
      const email = url.searchParams.get("email");
      server.serializeAttachment(email);
      server.send(greeting(email));
    }
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket, frame) {
    socket.send(echo(frame, socket.deserializeAttachment()));
  }

  webSocketClose(socket, code) {
    socket.close(code);
  }
}

export default {
  fetch(request, env) {
    return env.ROOM.getByName("bare").fetch(request);
  },
};
