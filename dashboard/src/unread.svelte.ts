// How many events nobody has seen yet: from the latest seq that a person had before them when they last did something.
// Invariant: kept per person in this browser, so that reloading the page, or another tab of it, does not forget.

import { read, write } from "./preferences.svelte.ts";

/** What somebody does who is there. Looking is not among them: a wall screen is always in sight. */
const SIGNS_OF_LIFE = ["pointerdown", "keydown", "wheel"] as const;

export class Unread {
  readonly #key: string;
  readonly #seq: () => number | null;
  #seen = $state<number | null>(null);
  readonly count = $derived.by(() => {
    const seq = this.#seq();
    return seq === null || this.#seen === null ? 0 : Math.max(0, seq - this.#seen);
  });

  /** `seq` is the latest event of the board; null before its first state. */
  constructor(userId: number, seq: () => number | null) {
    this.#key = `rollcall.seen.${userId}`;
    this.#seq = seq;
    this.#seen = this.#kept();
    $effect(() => {
      // Whoever opens it for the first time has missed nothing.
      if (this.#seen === null) this.markRead();
    });
    $effect(() => {
      const end = new AbortController();
      for (const sign of SIGNS_OF_LIFE) {
        addEventListener(sign, () => this.markRead(), { signal: end.signal, passive: true });
      }
      addEventListener("storage", ({ key }) => key === this.#key && (this.#seen = this.#kept()), end);
      return () => end.abort();
    });
  }

  markRead(): void {
    const seq = this.#seq();
    if (seq === null || seq === this.#seen) return;
    // Another tab may be ahead of this one.
    this.#seen = Math.max(seq, this.#kept() ?? 0);
    write(this.#key, String(this.#seen));
  }

  #kept(): number | null {
    const kept = Number.parseInt(read(this.#key) ?? "", 10);
    return Number.isSafeInteger(kept) ? kept : null;
  }
}
