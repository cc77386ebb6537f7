// The live board of the dashboard page: the pure board of state.ts, fed by a watcher and by the day's history.
// Invariant: the page changes at once, but at most ten times a second, so that a burst costs no more than a few events.

import * as api from "./api.ts";
import { SESSION_ENDED, Watcher, type BoardMessage, type Link } from "./socket.ts";
import { EMPTY_BOARD, isNews, noticeOf, reduce, type Action, type Board, type Notice } from "./state.ts";
import { t } from "./text.ts";
import { hospital } from "./time.svelte.ts";
import type { EventPage } from "./wire.ts";

/** A resumed board may have a thousand events to tell; pop-ups are for the latest. */
const POP_UPS_SHOWN = 3;
/** How fresh "3 minutes ago" and the end of the day are. */
const TICK_MS = 15_000;
const HISTORY_PAGE = 1_000;
const SHOWN_EVERY_MS = 100;

export interface BoardListener {
  /**
   * The server closed the connection for good, as it does when the session ends. Whether the same person is signed in
   * all the same, as after a new password.
   */
  onStopped: () => Promise<boolean>;
  /** Doctors came or went, while this page was connected or before it came back. */
  onNotices: (notices: readonly Notice[]) => void;
}

export class LiveBoard {
  board = $state.raw(EMPTY_BOARD);
  link = $state.raw<Link>({ state: "connecting", attempt: 0 });
  /** Oldest first. */
  popUps = $state.raw<readonly Notice[]>([]);
  /** Milliseconds since 1970, from time to time. */
  now = $state(Date.now());
  /** Midnight in the hospital, milliseconds since 1970. */
  readonly today = $derived(+hospital.startOfDay(this.now));
  /** Why the day's events are not there. */
  dayProblem = $state("");
  readonly #listener: BoardListener;
  readonly #tick: ReturnType<typeof setInterval>;
  /** The board as the messages have it. */
  #ahead: Board = EMPTY_BOARD;
  #news: Notice[] = [];
  /** Those of them that are to pop up. */
  #popUpsAhead: Notice[] = [];
  /** Whether what arrives is what was missed: that is listed, and needs no pop-ups over it. */
  #catchingUp = true;
  #shownAt = 0;
  #showing: ReturnType<typeof setTimeout> | undefined;
  #readingDay = false;
  /** What is being read may lack what a later snapshot jumped over. */
  #readAgain = false;
  readonly #end = new AbortController();
  #watcher: Watcher;
  #tests = 0;

  constructor(listener: BoardListener) {
    this.#listener = listener;
    this.#watcher = this.#watch();
    this.#tick = setInterval(() => this.#show(), TICK_MS);
    const { signal } = this.#end;
    document.addEventListener("visibilitychange", () => this.#showing && this.#show(), { signal });
  }

  /** Tries now instead of later; or again, after the server closed the connection for good. */
  connectNow(): void {
    if (this.link.state !== "stopped") return this.#watcher.check();
    this.#watcher.close();
    this.#watcher = this.#watch();
  }

  close(): void {
    this.#end.abort();
    clearInterval(this.#tick);
    clearTimeout(this.#showing);
    this.#watcher.close();
  }

  /** Shows that the box and the pop-ups work; nobody else sees it. */
  testNotification(): void {
    const notice: Notice = {
      key: `test-${++this.#tests}`,
      action: "login",
      doctorName: t.notifications.testDoctor,
      timestamp: new Date().toISOString(),
    };
    this.#tell(notice, true);
    this.#take({ type: "test", notice });
  }

  dismiss(popUp: Notice): void {
    this.popUps = this.popUps.filter(({ key }) => key !== popUp.key);
  }

  dismissMissed(): void {
    this.#take({ type: "missed_was_read" });
  }

  /** The day's events, for the timeline and the count; what comes after them comes live. */
  async readDay(): Promise<void> {
    this.#readAgain = true;
    if (this.#readingDay) return;
    this.#readingDay = true;
    this.dayProblem = "";
    try {
      while (this.#readAgain) {
        this.#readAgain = false;
        await this.#readDayOnce();
      }
    } catch (error) {
      this.dayProblem = api.explain(error);
      if (api.isAboutSession(error)) void this.#listener.onStopped();
    } finally {
      this.#readingDay = false;
    }
  }

  /** Backwards, and no further than the day: to find where it begins, the database would read all that was before. */
  async #readDayOnce(): Promise<void> {
    const start = new Date(this.today);
    let before: number | null = (this.#ahead.seq ?? 0) + 1;
    while (before !== null) {
      const page: EventPage = await api.events({ before, limit: HISTORY_PAGE });
      const events = page.events.filter(({ timestamp }) => new Date(timestamp) >= start);
      before = events.length === page.events.length ? (page.previous ?? null) : null;
      this.#take({ type: "history", events, whole: before === null && !this.#readAgain });
    }
  }

  #watch(): Watcher {
    return new Watcher({
      connections: true,
      onMessage: (message) => this.#receive(message),
      onLink: (link) => {
        const wasUp = this.link.state === "connected";
        this.link = link;
        if (link.state === "stopped") void this.#stopped(wasUp && link.code === SESSION_ENDED);
        if (link.state !== "connected") this.#catchingUp = true;
        else if (this.dayProblem) void this.readDay();
      },
    });
  }

  /** A new password ends the old session with its sockets, and begins another: then there is a connection to have. */
  async #stopped(sessionEnded: boolean): Promise<void> {
    const isSignedIn = await this.#listener.onStopped();
    if (sessionEnded && isSignedIn && !this.#end.signal.aborted && this.link.state === "stopped") this.connectNow();
  }

  #receive(message: BoardMessage): void {
    const news = message.type === "doctor_login_logout" && isNews(this.#ahead, message) && noticeOf(message);
    if (news) this.#tell(news, !this.#catchingUp);
    this.#take(message);
    if (message.type === "snapshot" || message.type === "resumed") this.#catchingUp = false;
    if (!this.#ahead.complete) this.#watcher.startOver();
    if (message.type === "snapshot" && !this.#ahead.dayIsWhole) void this.readDay();
  }

  #tell(notice: Notice, popsUp: boolean): void {
    this.#news.push(notice);
    if (popsUp) this.#popUpsAhead.push(notice);
  }

  #take(action: Action): void {
    this.#ahead = reduce(this.#ahead, action);
    const isDue = this.#shownAt + SHOWN_EVERY_MS <= Date.now();
    // The timers of a hidden page run late; its title and its notifications should not.
    if (document.hidden && isDue) this.#show();
    else this.#showing ??= setTimeout(() => this.#show(), this.#shownAt + SHOWN_EVERY_MS - Date.now());
  }

  #show(): void {
    clearTimeout(this.#showing);
    this.#showing = undefined;
    this.#shownAt = Date.now();
    const yesterday = this.today;
    this.now = Date.now();
    if (this.today !== yesterday) {
      this.#ahead = reduce(this.#ahead, { type: "day_began", start: new Date(this.today) });
    }
    this.board = this.#ahead;
    if (this.#news.length === 0) return;
    this.popUps = [...this.popUps, ...this.#popUpsAhead].slice(-POP_UPS_SHOWN);
    this.#listener.onNotices(this.#news);
    this.#news = [];
    this.#popUpsAhead = [];
  }
}
