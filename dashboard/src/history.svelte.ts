// The history as one scrolls through it: pages from the server, newest first, and what happens meanwhile.
// Invariant: `events` has no gap from its first to its last among those that match.

import * as api from "./api.ts";
import { matches, newestFirst, wholeTable, type HistoryFilter, type Period } from "./history.ts";
import type { Board } from "./state.ts";
import { hospital } from "./time.svelte.ts";
import type { DoctorEvent } from "./wire.ts";

const PAGE = 100;
const TABLE_PAGE = 1_000;
/** In front of this is everything. */
const NEWEST = Number.MAX_SAFE_INTEGER;

export class History {
  /** Newest first. */
  readonly events = $derived.by(() => newestFirst(this.#pages, this.#heard));
  /** Whether there is nothing further back. */
  complete = $state(false);
  busy = $state(false);
  problem = $state("");
  #filter = $state.raw<HistoryFilter>({ doctorId: undefined, from: "", to: "" });
  readonly #period = $derived<Period>({
    from: this.#filter.from ? hospital.startOfDate(this.#filter.from) : undefined,
    to: this.#filter.to ? hospital.startOfDate(this.#filter.to, 1) : undefined,
  });
  #pages = $state.raw<readonly DoctorEvent[]>([]);
  /** What matched of what happened since the first page was asked for. The board forgets it with its day. */
  #heard = $state.raw<readonly DoctorEvent[]>([]);
  /** The latest event that was looked at. */
  #latest: number;
  readonly #recheck: () => void;
  /** Moves on when what was asked for before is of no use any more. */
  #asked = 0;
  #before = NEWEST;

  /** `latest` is the board's latest event, and `recheck` asks the server who is signed in. */
  constructor(latest: number, recheck: () => void) {
    this.#latest = latest;
    this.#recheck = recheck;
    this.startOver();
  }

  get filter(): HistoryFilter {
    return this.#filter;
  }

  set filter(filter: HistoryFilter) {
    this.#filter = filter;
    this.startOver();
  }

  get isBackwards(): boolean {
    const { from, to } = this.#period;
    return from !== undefined && to !== undefined && from >= to;
  }

  /** Something may have happened. */
  hear({ day, seq }: Pick<Board, "day" | "seq">): void {
    const { doctorId } = this.#filter;
    const news = day.filter((event) => event.seq > this.#latest && matches(event, doctorId, this.#period));
    if (news.length > 0) this.#heard = [...this.#heard, ...news];
    this.#latest = Math.max(this.#latest, seq ?? 0);
  }

  startOver(): void {
    this.#asked += 1;
    this.#pages = this.#heard = [];
    this.#before = NEWEST;
    this.complete = this.isBackwards;
    this.busy = false;
    this.problem = "";
    if (!this.complete) void this.readOn();
  }

  /** The next page, further back. */
  async readOn(): Promise<void> {
    if (this.busy || this.complete) return;
    const asked = this.#asked;
    this.busy = true;
    this.problem = "";
    try {
      const page = await api.events({ ...this.#query(), before: this.#before, limit: PAGE });
      if (asked !== this.#asked) return;
      this.#pages = [...this.#pages, ...page.events];
      this.complete = page.previous === undefined;
      this.#before = page.previous ?? this.#before;
    } catch (error) {
      if (asked === this.#asked) this.#fail(error);
    } finally {
      if (asked === this.#asked) this.busy = false;
    }
  }

  /** Everything that matches, as a table; null if that failed. */
  async table(): Promise<string | null> {
    this.problem = "";
    try {
      return await wholeTable((since) => api.eventsAsCsv({ ...this.#query(), since, limit: TABLE_PAGE }));
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  #query(): api.EventQuery {
    return { doctorId: this.#filter.doctorId, ...this.#period };
  }

  #fail(error: unknown): void {
    this.problem = api.explain(error);
    if (api.isAboutSession(error)) this.#recheck();
  }
}
