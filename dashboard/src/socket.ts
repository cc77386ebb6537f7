// Rollcall's client library: this one file, and the types of wire.ts. No framework; runs in browsers and in Node.
// Invariants: at most one WebSocket is open for each object here, and nothing is reported about one that was given up.
// A `Watcher` hands on every event once, in order and without a gap, whatever happens to its connection.

import type { ConnectionCommand, ConnectionMessage, DoctorEvent, WatcherCommand, WatcherMessage } from "./wire.ts";

/** Where a connection stands. `attempt` counts the tries since it was last up; 0 is the very first one. */
export type Link =
  | { state: "connecting"; attempt: number }
  /** The next try begins at `retryAt`, in milliseconds since 1970. */
  | { state: "waiting"; attempt: number; retryAt: number }
  | { state: "connected" }
  /** Until it is told to connect again: another try would end in the same way. `code` is the WebSocket's close code. */
  | { state: "stopped"; code: number; reason: string };

/** What arrives on `/ws/doctor-status/`. */
export type BoardMessage = WatcherMessage | DoctorEvent;

/** What arrives on `/ws/connect/`: echoes, and the events of the doctor whose connection it is. */
export type OwnMessage = ConnectionMessage | DoctorEvent;

export interface Options<Message> {
  /** Where Rollcall is, `https://…`. In a page: the page's own origin, unless it is given. */
  origin?: string | URL;
  /**
   * A ticket for each try, from `POST /api/ws-ticket/`, where no cookie says who is asking: in Node, and in pages of
   * another origin. Null where there is none to be had, because the session has ended: it stops, as the server would
   * make it. Where it fails, it is asked again later.
   */
  ticket?: () => Promise<string | null>;
  onMessage: (message: Message) => void;
  onLink?: (link: Link) => void;
}

const SUBPROTOCOL = "rollcall.v1";
const PING_EVERY_MS = 30_000;
/** Without any answer to a ping for this long the connection is dead, whatever the browser believes. */
const SILENCE_MS = 45_000;
/** The same while somebody is waiting for it. */
const IMPATIENCE_MS = 5_000;
/** The server answers a try, with a message or a close code, within 10 s. */
const OPENING_MS = 15_000;
/** No more than one acknowledgement in this time … */
const ACK_EVERY_MS = 1_000;
/** … and one within this, some time: all dashboards hear an event at once, and are not to answer at once. */
const ACK_WITHIN_MS = 10_000;
/** So many events are acknowledged without waiting: the timers of a hidden page run only now and then. */
const ACK_EVENTS = 100;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** The code browsers give a connection that was lost without a close frame. */
const NO_ANSWER = 1006;
/** The server's code for who does not say who they are. */
const NOT_ACCEPTED = 4001;
/** The close code for a session that has ended: by its owner, an administrator, a new password, or its time. */
export const SESSION_ENDED = 4002;
/** Close codes that another try would only repeat. Everything else is an accident: connect again and resume. */
const FINAL = new Set([1000, 1003, 1008, 1009, 4000, 4001, SESSION_ENDED, 4003, 4004]);

/**
 * Milliseconds to wait before try number `attempt` (1, 2, …): anything up to a bound that doubles.
 * The whole range is random, so that a hospital's dashboards do not all return in the same instant.
 * `random` is at least 0 and less than 1.
 */
export function backoff(attempt: number, random: number): number {
  return random * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
}

export function mayReconnect(code: number): boolean {
  return !FINAL.has(code);
}

/** The address of `path` at `origin`, `ws:` or `wss:` as that is. */
export function socketUrl(
  path: string,
  query: Record<string, string> = {},
  origin: string | URL = globalThis.location.origin,
): string {
  const url = new URL(path, origin);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = new URLSearchParams(query).toString();
  return url.href;
}

/** One WebSocket that stays: it notices a dead connection, waits, and connects again. */
export class LiveSocket {
  readonly #options: Options<string>;
  readonly #url: () => string;
  readonly #end = new AbortController();
  #socket: WebSocket | null = null;
  /** Moves on with every try, so that a ticket that comes late opens nothing. */
  #try = 0;
  /** Whether the current connection has been heard. */
  #up = false;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setInterval> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** When that is, in milliseconds since 1970. */
  #due = 0;

  /** `url` is asked anew for every try, because the position to resume from moves on. */
  constructor(url: () => string, options: Options<string>) {
    this.#url = url;
    this.#options = options;
    const { signal } = this.#end;
    // Neither is there outside of browsers.
    globalThis.addEventListener?.("online", () => this.check(), { signal });
    globalThis.document?.addEventListener("visibilitychange", () => document.hidden || this.check(), { signal });
    void this.#open();
  }

  send(text: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Gives up the current connection and opens another one now, also where it had stopped. */
  reconnect(): void {
    if (this.#end.signal.aborted) return;
    this.#drop();
    void this.#open();
  }

  /** Somebody wants to know: finds out within seconds whether the connection is alive, or tries again at once. */
  check(): void {
    if (this.#retry !== undefined) this.reconnect();
    else if (this.#up) this.#sendPing(IMPATIENCE_MS);
  }

  /** Ends it for good; nothing is reported afterwards. */
  close(): void {
    this.#end.abort();
    this.#drop();
  }

  async #open(): Promise<void> {
    const attempt = ++this.#try;
    this.#expectAnswer(OPENING_MS);
    this.#report({ state: "connecting", attempt: this.#attempt });
    const protocols = [SUBPROTOCOL];
    try {
      const ticket = this.#options.ticket && (await this.#options.ticket());
      if (attempt !== this.#try) return;
      if (ticket === null) return this.#closed(NOT_ACCEPTED, "No ticket");
      if (ticket !== undefined) protocols.push(`ticket.${ticket}`);
    } catch {
      if (attempt === this.#try) this.#closed(NO_ANSWER, "");
      return;
    }
    const socket = new WebSocket(this.#url(), protocols);
    this.#socket = socket;
    socket.onopen = () => {
      this.#ping = setInterval(() => this.#sendPing(SILENCE_MS), PING_EVERY_MS);
    };
    socket.onmessage = ({ data }) => this.#heard(String(data));
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  #heard(text: string): void {
    const current = this.#try;
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    // Only a message proves the connection: a room that is full accepts first, and closes at once.
    if (!this.#up) {
      this.#up = true;
      this.#attempt = 0;
      this.#report({ state: "connected" });
    }
    // Who was told may have given the connection up.
    if (text !== "pong" && current === this.#try) this.#options.onMessage(text);
  }

  #closed(code: number, reason: string): void {
    this.#drop();
    if (!mayReconnect(code)) return this.#report({ state: "stopped", code, reason });
    this.#attempt += 1;
    const delay = backoff(this.#attempt, Math.random());
    this.#retry = setTimeout(() => this.reconnect(), delay);
    this.#report({ state: "waiting", attempt: this.#attempt, retryAt: Date.now() + delay });
  }

  #sendPing(answerWithin: number): void {
    this.send("ping");
    this.#expectAnswer(answerWithin);
  }

  /** Unless one is expected earlier already: asking again gives nobody more time. */
  #expectAnswer(within: number): void {
    const due = Date.now() + within;
    if (this.#deadline !== undefined && this.#due <= due) return;
    clearTimeout(this.#deadline);
    this.#due = due;
    this.#deadline = setTimeout(() => this.#closed(NO_ANSWER, ""), within);
  }

  #report(link: Link): void {
    this.#options.onLink?.(link);
  }

  #drop(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#ping);
    clearTimeout(this.#deadline);
    this.#retry = this.#deadline = undefined;
    this.#up = false;
    this.#try += 1;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    // Closing a dead connection takes the browser minutes; nobody waits for its close event.
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

export interface WatcherOptions extends Options<BoardMessage> {
  /** The latest event known already: the first message is then what came after it, instead of a snapshot. */
  since?: number;
  /** Whether to hear how many people are connected, whenever that changes. */
  connections?: boolean;
}

/** A dashboard's socket, `/ws/doctor-status/`. */
export class Watcher {
  readonly #onMessage: (message: BoardMessage) => void;
  readonly #socket: LiveSocket;
  /** The latest event handed on, and therefore where the next connection resumes. */
  #seq: number | null;
  /** Whether the current connection is past what it missed. */
  #caughtUp = false;
  #lastAck = 0;
  #acknowledged: number | null = null;
  #ack: ReturnType<typeof setTimeout> | undefined;

  constructor({ since, connections, onMessage, onLink, ...options }: WatcherOptions) {
    this.#onMessage = onMessage;
    this.#seq = since ?? null;
    const query = () => ({
      ...(this.#seq !== null && { since: String(this.#seq) }),
      ...(connections && { connections: "1" }),
    });
    this.#socket = new LiveSocket(() => socketUrl("/ws/doctor-status/", query(), options.origin), {
      ...options,
      onMessage: (text) => this.#receive(JSON.parse(text) as BoardMessage),
      onLink: (link) => {
        if (link.state !== "connected") this.#caughtUp = false;
        onLink?.(link);
      },
    });
  }

  /** Tries again now, or finds out whether the connection is alive. */
  check(): void {
    this.#socket.check();
  }

  /** Connects again and starts from a new snapshot instead of resuming. */
  startOver(): void {
    this.#seq = null;
    this.#socket.reconnect();
  }

  close(): void {
    clearTimeout(this.#ack);
    this.#socket.close();
  }

  #receive(message: BoardMessage): void {
    if (message.type === "snapshot") {
      this.#caughtUp = true;
      this.#moveTo(message.seq);
    } else if (message.type === "resumed") {
      // Not recovered: a snapshot comes next, and the position means nothing until then.
      if (!message.recovered) this.#seq = null;
      else if (this.#seq !== null && message.seq > this.#seq) return this.#gap();
      this.#caughtUp = message.recovered;
    } else if ("seq" in message) {
      if (this.#seq === null || message.seq <= this.#seq) return;
      if (message.seq > this.#seq + 1) return this.#gap();
      this.#moveTo(message.seq);
    }
    this.#onMessage(message);
  }

  /** Something was missed: resume, or start over if it is the resuming itself that left it out. */
  #gap(): void {
    if (this.#caughtUp) this.#socket.reconnect();
    else this.startOver();
  }

  #moveTo(seq: number): void {
    this.#seq = seq;
    const many = this.#acknowledged === null || seq - this.#acknowledged >= ACK_EVENTS;
    if (many && this.#lastAck + ACK_EVERY_MS <= Date.now()) return this.#acknowledge();
    const wait = ACK_EVERY_MS + Math.random() * (ACK_WITHIN_MS - ACK_EVERY_MS);
    this.#ack ??= setTimeout(() => this.#acknowledge(), wait);
  }

  #acknowledge(): void {
    clearTimeout(this.#ack);
    this.#ack = undefined;
    if (this.#seq === null) return;
    this.#lastAck = Date.now();
    this.#acknowledged = this.#seq;
    this.#socket.send(JSON.stringify({ type: "ack", seq: this.#seq } satisfies WatcherCommand));
  }
}

/** A person's own socket, `/ws/connect/`: while a doctor has one open, the doctor counts as reachable. */
export class OwnConnection {
  readonly #socket: LiveSocket;

  constructor(email: string, options: Options<OwnMessage>) {
    this.#socket = new LiveSocket(() => socketUrl("/ws/connect/", { email }, options.origin), {
      ...options,
      onMessage: (text) => options.onMessage(JSON.parse(text) as OwnMessage),
    });
  }

  /** The server answers `Server received: <text>`. */
  say(text: string): void {
    this.#socket.send(JSON.stringify({ message: text } satisfies ConnectionCommand));
  }

  /** Tries again now, or finds out whether the connection is alive. */
  check(): void {
    this.#socket.check();
  }

  /** Gives up the current connection and opens another one now. */
  reconnect(): void {
    this.#socket.reconnect();
  }

  close(): void {
    this.#socket.close();
  }
}
