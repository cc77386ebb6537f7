// One's own sessions: where one is signed in, and the ends of those that should not be.
// Invariant: the list is what the server last said; a session leaves it when the server says so.

import * as api from "./api.ts";
import type { SessionEntry } from "./wire.ts";

export class OwnSessions {
  /** Newest first; null before the first answer. */
  entries = $state.raw<readonly SessionEntry[] | null>(null);
  readonly others = $derived((this.entries ?? []).filter(({ current }) => !current));
  /** Why they could not be read. */
  problem = $state("");
  /** How many the last end has ended. */
  ended = $state(0);
  readonly #recheck: () => void;

  /** `recheck` asks the server who is signed in. */
  constructor(recheck: () => void) {
    this.#recheck = recheck;
    void this.read();
  }

  async read(): Promise<void> {
    this.problem = "";
    try {
      this.entries = (await api.sessions()).sessions;
    } catch (error) {
      this.problem = api.explain(error);
      if (api.isAboutSession(error)) this.#recheck();
    }
  }

  /** One after the other; fails with the server's refusal of the first that cannot be ended. */
  async end(sessions: readonly SessionEntry[]): Promise<void> {
    this.ended = 0;
    let ended = 0;
    try {
      for (const { id } of sessions) {
        await api.endSession(id).catch(unlessGone);
        ended += 1;
      }
    } finally {
      await this.read();
      this.ended = ended;
    }
  }
}

/** One that is over already is what was asked for. */
function unlessGone(error: unknown): void {
  if (!(error instanceof api.ApiError && error.status === 404)) throw error;
}
