// The floor of what a Node process costs: no database, no accounts, no framework.
//
// usage: node server.mjs <port>
//
// Prints `ready <address>` when it listens; ends when standard input does.

import { createServer } from "node:http";
import { createRequire } from "node:module";

// The `ws` that Miniflare comes with, so that the project needs none of its own.
const miniflare = createRequire(import.meta.url).resolve("miniflare");
const { WebSocketServer } = createRequire(miniflare)("ws");

const port = Number(process.argv[2]);
const watchers = new Set();
const actions = new Map([
  ["/api/users/login-status/", ["login", "logged in"]],
  ["/api/users/logout-status/", ["logout", "logged out"]],
]);

const day = new Intl.DateTimeFormat("en-US", { month: "long", day: "2-digit", year: "numeric", timeZone: "UTC" });
const hour = new Intl.DateTimeFormat("en-US", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

function event(doctor, action, verb) {
  const now = new Date();
  const name = "Dr. Ann Lee"; // without a database everybody is called that
  const message = `${name} ${verb} at ${hour.format(now)} on ${day.format(now)}`;
  const timestamp = now.toISOString();
  return JSON.stringify({ type: "doctor_login_logout", doctor_id: doctor, action, doctor_name: name, timestamp, message });
}

// The default of five seconds would hang up on a caller that pauses.
const http = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  const url = new URL(request.url, "http://localhost");
  const action = request.method === "POST" && actions.get(url.pathname);
  if (!action) return response.writeHead(404).end();
  const text = event(Number(url.searchParams.get("doctor")), ...action);
  for (const watcher of watchers) watcher.send(text);
  response.setHeader("Content-Type", "application/json");
  response.end('{"status":"success"}');
});

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

http.on("upgrade", (request, socket, head) => {
  const url = new URL(request.url, "http://localhost");
  const join = { "/ws/doctor-status/": watch, "/ws/connect/": echo }[url.pathname];
  if (!join) return socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
  sockets.handleUpgrade(request, socket, head, (client) => join(client, url.searchParams.get("email")));
});

function watch(client) {
  watchers.add(client);
  client.on("error", () => {}); // a reset connection: `close` follows
  client.on("close", () => watchers.delete(client));
}

function echo(client, email) {
  client.on("error", () => {});
  if (!email) return client.close(4000);
  const answer = (body) => client.send(JSON.stringify(body));
  answer({ type: "connection_established", message: `Connected successfully as ${email}` });
  client.on("message", (data) => {
    try {
      answer({ type: "message", message: `Server received: ${JSON.parse(data).message}`, from: email });
    } catch {
      answer({ type: "error", message: "Invalid JSON format" });
    }
  });
}

http.listen(port, "127.0.0.1", () => console.log(`ready http://127.0.0.1:${http.address().port}`));
process.stdin.resume().on("close", () => process.exit());
