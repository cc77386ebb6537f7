// A room as partyserver's documentation shows it: a server for the dashboards, and one update in D1 before it tells them.
// It asks nobody who they are, and a socket that misses something has missed it.

import { Server } from "partyserver";

import { changeOf, echo, greeting, notification } from "../bare/messages.js";

export class Board extends Server {
  static options = { hibernate: true };

  async onRequest(request) {
    const change = changeOf(new URL(request.url));
    if (!change) return new Response(null, { status: 404 });
    const update = this.env.DB.prepare("UPDATE doctors SET is_live = ? WHERE id = ?");
    await update.bind(change.live, change.doctor).run();
    this.broadcast(notification(change, 1));
    return Response.json({ status: "success" });
  }
}

export class Connections extends Server {
  static options = { hibernate: true };

  onConnect(connection, { request }) {
    const email = new URL(request.url).searchParams.get("email");
    connection.setState(email);
    connection.send(greeting(email));
  }

  onMessage(connection, frame) {
    connection.send(echo(frame, connection.state));
  }
}

export default {
  // `routePartykitRequest` would serve its own paths, and does the same: it asks the object of that name.
  // `getServerByName` would ask the object twice.
  fetch(request, env) {
    const isConnection = new URL(request.url).pathname === "/ws/connect/";
    const stub = isConnection ? env.CONNECTIONS.getByName("connections") : env.BOARD.getByName("board");
    return stub.fetch(request);
  },
};
