// The Worker's entry point: the Rust Worker, with a deadline around it.
//
// A panic, a trap or a stack overflow ends the WebAssembly instance, and with it everything that it waits for, its own
// timers too: a caller that waits for it would wait for ever. So the one thing that must outlive it stands outside. The
// next call finds a new instance, and a room reads what it knows from storage, as after any crash.

import { DurableObject } from "cloudflare:workers";

import Rollcall, { LoginThrottle as RustLoginThrottle, Room as RustRoom } from "./index.js";

/** No request waits longer than ten seconds. */
const ANSWER_WITHIN_MS = 8_000;

/** An alarm that has not ended by then is taken for dead: the runtime rings again. */
const ALARM_WITHIN_MS = 10_000;

/** `ApiError::Unavailable`, as the Rust code words it. */
const DETAIL = "Service temporarily unavailable, try again later.";
const UNAVAILABLE = `{"detail":"${DETAIL}","code":"unavailable"}`;

/** One for as long as the isolate lives: to make one for each request takes a twentieth of a millisecond. */
let rollcall;

export default {
  async fetch(request, env, ctx) {
    try {
      rollcall ??= new Rollcall(ctx, env);
      return await within(ANSWER_WITHIN_MS, rollcall.fetch.call({ env, ctx }, request));
    } catch (error) {
      const request_id = request.headers.get("CF-Ray") ?? crypto.randomUUID();
      console.error(JSON.stringify({ level: "error", message: `given up: ${error?.message}`, request_id }));
      return isUpgrade(request) ? closedSocket(request) : unavailable(request, request_id);
    }
  },

  scheduled(event, env, ctx) {
    return new Rollcall(ctx, env).scheduled(event);
  },
};

// A public method of these classes is an RPC method, which only the Worker can call: a client's request reaches `fetch`.

export class Room extends DurableObject {
  #room;

  constructor(state, env) {
    super(state, env);
    this.#room = new RustRoom(state, env);
  }

  fetch(request) {
    return this.#room.serve(request);
  }

  call(json, requestId) {
    return this.#room.call(json, requestId);
  }

  alarm() {
    return within(ALARM_WITHIN_MS, this.#room.alarm());
  }

  webSocketMessage(socket, message) {
    return this.#room.webSocketMessage(socket, message);
  }

  webSocketClose(socket, code, reason, wasClean) {
    return this.#room.webSocketClose(socket, code, reason, wasClean);
  }

  webSocketError(socket, error) {
    return this.#room.webSocketError(socket, error);
  }
}

export class LoginThrottle extends DurableObject {
  #throttle;

  constructor(state, env) {
    super(state, env);
    this.#throttle = new RustLoginThrottle(state, env);
  }

  call(json) {
    return this.#throttle.call(json);
  }

  alarm() {
    return this.#throttle.alarm();
  }
}

/** Waits for `work`, if it is a promise, but no longer. */
function within(milliseconds, work) {
  if (!(work instanceof Promise)) return work;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
    const settle = (how) => (outcome) => {
      clearTimeout(timer);
      how(outcome);
    };
    work.then(settle(resolve), settle(reject));
  });
}

function unavailable(request, requestId) {
  const headers = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Retry-After": "1",
    "X-Request-Id": requestId,
  };
  if (request.url.startsWith("https:")) headers["Strict-Transport-Security"] = "max-age=31536000";
  return new Response(UNAVAILABLE, { status: 503, headers });
}

function isUpgrade(request) {
  return request.headers.get("Upgrade")?.toLowerCase() === "websocket";
}

/** A join that is refused is accepted first: a browser cannot read a refused handshake. */
function closedSocket(request) {
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  server.close(1011, DETAIL);
  const offered = request.headers.get("Sec-WebSocket-Protocol")?.split(",") ?? [];
  const v1 = offered.some((protocol) => protocol.trim() === "rollcall.v1");
  const headers = v1 ? { "Sec-WebSocket-Protocol": "rollcall.v1" } : {};
  return new Response(null, { status: 101, webSocket: client, headers });
}
