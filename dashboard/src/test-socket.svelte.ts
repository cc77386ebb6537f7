// One plain WebSocket to `/ws/connect/`, as a client of the original apps would open it, with a log of all it does.

import { explain, me, signOut } from "./api.ts";
import { socketUrl } from "./socket.ts";
import { t } from "./text.ts";
import type { ConnectionCommand } from "./wire.ts";

export interface LogEntry {
  id: number;
  at: Date;
  kind: "sent" | "received" | "note";
  text: string;
}

const NOT_ACCEPTED = 4001;

export class TestSocket {
  state = $state<"closed" | "opening" | "open">("closed");
  /** Oldest first. */
  log = $state.raw<readonly LogEntry[]>([]);
  /** Who else is signed in in this browser, once that was why the server refused. */
  signedInAs = $state("");
  #socket: WebSocket | null = null;

  connect(email: string): void {
    if (this.state !== "closed") return;
    const url = socketUrl("/ws/connect/", { email });
    this.state = "opening";
    this.signedInAs = "";
    this.#write("note", t.socketTest.connectingTo(url));
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => {
      this.state = "open";
      this.#write("note", t.socketTest.open);
    };
    socket.onmessage = ({ data }) => this.#write("received", String(data));
    socket.onclose = ({ code, reason }) => {
      this.state = "closed";
      this.#write("note", t.socketTest.closed(code, reason));
      if (code === NOT_ACCEPTED) void this.#findOtherPerson(email);
    };
  }

  send(message: string): void {
    const text = JSON.stringify({ message } satisfies ConnectionCommand);
    this.#socket?.send(text);
    this.#write("sent", text);
  }

  disconnect(): void {
    this.#socket?.close(1000);
  }

  async signOut(): Promise<void> {
    try {
      await signOut();
      this.signedInAs = "";
      this.#write("note", t.socketTest.signedOut);
    } catch (error) {
      this.#write("note", explain(error));
    }
  }

  async #findOtherPerson(email: string): Promise<void> {
    const user = await me().catch(() => null);
    if (user && user.email.toLowerCase() !== email.trim().toLowerCase()) this.signedInAs = user.email;
  }

  #write(kind: LogEntry["kind"], text: string): void {
    this.log = [...this.log, { id: this.log.length, at: new Date(), kind, text }];
  }
}
