// What the `worker` crate does not bind.

/** The object of that name in a binding; in a jurisdiction, if one is named. */
export function objectByName(env, binding, jurisdiction, name) {
  const namespace = env[binding];
  return (jurisdiction ? namespace.jurisdiction(jurisdiction) : namespace).getByName(name);
}

/** Calls an object's RPC method, for a request. */
export const call = (object, json, requestId) => object.call(json, requestId);

/** The method, URL and headers of a request, as JSON. */
export function head(request) {
  const headers = [];
  request.headers.forEach((value, name) => headers.push([name, value]));
  return JSON.stringify([request.method, request.url, headers]);
}

/** A response. Its bytes are copied: the WebAssembly memory that they are in may move. */
export function respond(status, headers, body, webSocket) {
  return new Response(body.length ? body.slice() : null, { status, headers: JSON.parse(headers), webSocket });
}

/** Hands a request to an object as it came. If that fails, `afterFailure` answers. */
export const forward = (object, request, afterFailure) =>
  object.fetch(request).catch((error) => afterFailure(request, error));

/** Runs `work` as one transaction: what it throws rolls everything back, and is thrown on. */
export const transaction = (state, work) => state.storage.transactionSync(work);

/** Runs a statement, and returns the first column of its rows, which is JSON, as a JSON array. */
export function query(state, statement, parameters) {
  const rows = [];
  for (const [json] of state.storage.sql.exec(statement, ...parameters).raw()) rows.push(json);
  return `[${rows.join()}]`;
}

/** Sets the alarm. The runtime's output gate waits for it. */
export function setAlarm(state, atMs) {
  state.storage.setAlarm(atMs);
}

/** Sends one text to every socket that was accepted with a tag, and returns how many that were. */
export function sendToTagged(state, tag, text) {
  let sent = 0;
  for (const socket of state.getWebSockets(tag)) {
    try {
      socket.send(text);
      sent++;
    } catch {
      // It is closing; its client resumes when it is back.
    }
  }
  return sent;
}

/** When a socket last sent a `ping` that the runtime answered, in milliseconds since 1970. */
export const pingedAt = (state, socket) => state.getWebSocketAutoResponseTimestamp(socket)?.getTime();
