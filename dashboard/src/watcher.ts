// A dashboard's socket, `/ws/doctor-status/` with `rollcall.v1`: every event once, in order, without a gap.
// Invariant: `#seq` is the latest event handed on, and therefore where the next connection resumes.

import { LiveSocket, socketUrl, type Link } from "./socket.ts";
import type { BoardMessage } from "./state.ts";
import type { WatcherCommand } from "./wire.ts";

export interface WatcherOptions {
  onMessage: (message: BoardMessage) => void;
  onLink: (link: Link) => void;
}

const ACK_EVERY_MS = 1_000;

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #socket: LiveSocket;
  #seq: number | null = null;
  /** Whether the current connection is past what it missed. */
  #caughtUp = false;
  #lastAck = 0;
  #ack: ReturnType<typeof setTimeout> | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#socket = new LiveSocket({
      url: () => socketUrl("/ws/doctor-status/", this.#seq === null ? {} : { since: String(this.#seq) }),
      protocols: ["rollcall.v1"],
      onText: (text) => this.#receive(JSON.parse(text) as BoardMessage),
      onLink: (link) => {
        if (link.state === "connecting") this.#caughtUp = false;
        options.onLink(link);
      },
    });
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
      this.#caughtUp = message.recovered;
      // Not recovered: a snapshot comes next, and the position means nothing until then.
      if (!message.recovered) this.#seq = null;
      else if (this.#seq !== null && message.seq > this.#seq) return this.#gap();
    } else if ("seq" in message) {
      if (this.#seq === null || message.seq <= this.#seq) return;
      if (message.seq > this.#seq + 1) return this.#gap();
      this.#moveTo(message.seq);
    }
    this.#options.onMessage(message);
  }

  /** Something was missed: resume, or start over if it is the resuming itself that left it out. */
  #gap(): void {
    if (this.#caughtUp) this.#socket.reconnect();
    else this.startOver();
  }

  #moveTo(seq: number): void {
    this.#seq = seq;
    const wait = this.#lastAck + ACK_EVERY_MS - Date.now();
    // At once where it is due: the timers of a hidden page run only now and then.
    if (wait <= 0) this.#acknowledge();
    else this.#ack ??= setTimeout(() => this.#acknowledge(), wait);
  }

  #acknowledge(): void {
    clearTimeout(this.#ack);
    this.#ack = undefined;
    if (this.#seq === null) return;
    this.#lastAck = Date.now();
    this.#socket.send(JSON.stringify({ type: "ack", seq: this.#seq } satisfies WatcherCommand));
  }
}
