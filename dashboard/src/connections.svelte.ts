// Who is connected: read when somebody comes or goes, and now and then for when they were last heard.
// Invariant: every read is a security event of the hospital, so nobody reads what nobody looks at.

import * as api from "./api.ts";
import { Pace } from "./pace.ts";
import { t } from "./text.ts";
import type { ActiveConnection } from "./wire.ts";

export class ConnectionList {
  /** Oldest connection first; null before the first answer. */
  entries = $state.raw<readonly ActiveConnection[] | null>(null);
  /** Why what is shown may be out of date, or nothing is. */
  problem = $state("");
  /** What came of the last disconnecting. */
  notice = $state("");
  readonly #recheck: () => void;
  readonly #pace = new Pace(() => this.#read());
  /** The latest number of people that the board told. */
  #told: number | null = null;

  /** `recheck` asks the server who is signed in. */
  constructor(recheck: () => void) {
    this.#recheck = recheck;
  }

  /** The board says how many are connected. */
  tell(people: number): void {
    // The first number is no change, if it is what was read.
    const known = this.#told ?? this.entries?.length ?? people;
    const isNews = known !== people;
    this.#told = people;
    if (isNews) this.#pace.change();
  }

  see(isSeen: boolean): void {
    this.#pace.see(isSeen);
  }

  readNow(): Promise<void> {
    return this.#pace.readNow();
  }

  /** Fails with the server's refusal. That somebody is gone already is none. */
  async disconnect(email: string): Promise<void> {
    this.notice = "";
    const closed = await closedOf(email);
    this.notice = closed > 0 ? t.connections.disconnected(email, closed) : t.connections.alreadyGone(email);
    void this.readNow();
  }

  async #read(): Promise<void> {
    try {
      this.entries = (await api.activeConnections()).active_connections;
      this.problem = "";
    } catch (error) {
      this.problem = api.explain(error);
      if (api.isAboutSession(error)) this.#recheck();
    }
  }
}

/** How many sockets it closed. */
async function closedOf(email: string): Promise<number> {
  try {
    return (await api.disconnect(email)).closed;
  } catch (error) {
    if (error instanceof api.ApiError && error.status === 404) return 0;
    throw error;
  }
}
