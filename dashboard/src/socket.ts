// One WebSocket that stays: it notices a dead connection, waits, and connects again.
// Invariant: at most one WebSocket is open, and nothing is reported about one that was given up.

import { backoff, mayReconnect } from "./reconnect.ts";

/** Where the connection stands. `attempt` counts the tries since it was last up; 0 is the very first one. */
export type Link =
  | { state: "connecting"; attempt: number }
  | { state: "connected" }
  | { state: "stopped"; code: number; reason: string };

export interface LiveSocketOptions {
  /** Asked anew for every try, because the position to resume from moves on. */
  url: () => string;
  protocols?: string[];
  onText: (text: string) => void;
  onLink: (link: Link) => void;
}

const PING_EVERY_MS = 30_000;
/** Without any answer to a ping for this long the connection is dead, whatever the browser believes. */
const SILENCE_MS = 45_000;
/** The code browsers give a connection that was lost without a close frame. */
const NO_ANSWER = 1006;
/** The server answers a try, with a message or a close code, within 10 s. */
const OPENING_MS = 15_000;

export class LiveSocket {
  readonly #options: LiveSocketOptions;
  readonly #page = new AbortController();
  #socket: WebSocket | null = null;
  /** Whether the current connection has been heard. */
  #up = false;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setInterval> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LiveSocketOptions) {
    this.#options = options;
    globalThis.addEventListener("online", () => this.#networkReturned(), { signal: this.#page.signal });
    this.#open();
  }

  send(text: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Gives up the current connection and opens another one now. */
  reconnect(): void {
    this.#drop();
    this.#open();
  }

  /** Ends it for good; nothing is reported afterwards. */
  close(): void {
    this.#page.abort();
    this.#drop();
  }

  #open(): void {
    this.#options.onLink({ state: "connecting", attempt: this.#attempt });
    const socket = new WebSocket(this.#options.url(), this.#options.protocols ?? []);
    this.#socket = socket;
    this.#expectAnswer(OPENING_MS);
    socket.onopen = () => {
      this.#ping = setInterval(() => this.#sendPing(), PING_EVERY_MS);
    };
    socket.onmessage = ({ data }) => this.#heard(String(data));
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  #heard(text: string): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    // Only a message proves the connection: a room that is full accepts first, and closes at once.
    if (!this.#up) {
      this.#up = true;
      this.#attempt = 0;
      this.#options.onLink({ state: "connected" });
    }
    if (text !== "pong") this.#options.onText(text);
  }

  #closed(code: number, reason: string): void {
    this.#drop();
    if (!mayReconnect(code)) {
      this.#page.abort();
      this.#options.onLink({ state: "stopped", code, reason });
      return;
    }
    this.#attempt += 1;
    this.#options.onLink({ state: "connecting", attempt: this.#attempt });
    this.#retry = setTimeout(() => this.#open(), backoff(this.#attempt, Math.random()));
  }

  #networkReturned(): void {
    // A connection from before may have died with the old network; only a ping can tell.
    if (this.#up) this.#sendPing();
    else this.reconnect();
  }

  #sendPing(): void {
    this.send("ping");
    if (this.#deadline === undefined) this.#expectAnswer(SILENCE_MS);
  }

  #expectAnswer(within: number): void {
    this.#deadline = setTimeout(() => this.#closed(NO_ANSWER, ""), within);
  }

  #drop(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#ping);
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    this.#up = false;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    // Closing a dead connection takes the browser minutes; nobody waits for its close event.
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

/** The address of `path` on this page's own host, `ws:` or `wss:` as the page is. */
export function socketUrl(path: string, query: Record<string, string> = {}): string {
  const url = new URL(path, location.origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = new URLSearchParams(query).toString();
  return url.href;
}
