// When to read again what others change too: soon after a change, from time to time without one, and never while nobody
// looks. Pure but for its timer.
// Invariant: one read at a time, and none within `SPACING_MS` of the last, but for those that a person asks for.

/** How close together changes are followed. */
export const SPACING_MS = 2_000;
/** What no change is told of: when somebody was last heard. */
export const INTERVAL_MS = 30_000;

export class Pace {
  readonly #read: () => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = Number.NEGATIVE_INFINITY;
  #changed = true;
  #reading = false;
  #isSeen = false;

  /** Reads for the first time when it is seen. `read` never fails. */
  constructor(read: () => Promise<void>) {
    this.#read = read;
  }

  /** Something has changed since. */
  change(): void {
    this.#changed = true;
    this.#plan();
  }

  /** Whether anybody is looking. */
  see(isSeen: boolean): void {
    this.#isSeen = isSeen;
    this.#plan();
  }

  /** Reads now, because a person wants to know; once more, where an answer on its way may be from before. */
  async readNow(): Promise<void> {
    this.#changed = true;
    if (this.#reading) return;
    clearTimeout(this.#timer);
    this.#reading = true;
    this.#changed = false;
    this.#last = Date.now();
    await this.#read();
    this.#reading = false;
    this.#plan();
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (!this.#isSeen || this.#reading) return;
    const next = this.#last + (this.#changed ? SPACING_MS : INTERVAL_MS);
    this.#timer = setTimeout(() => void this.readNow(), Math.max(0, next - Date.now()));
  }
}
