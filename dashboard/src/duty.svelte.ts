// A doctor's own state, as the server last confirmed it, and the socket that keeps the doctor present.
// Invariant: `state` comes from the server's answers and events only, never from what was clicked.

import * as api from "./api.ts";
import { afterAnswer, afterDoubt, afterEvent, afterReturn, firstState, type OwnState } from "./own-state.ts";
import { OwnConnection, SESSION_ENDED, type Link, type OwnMessage } from "./socket.ts";
import type { StateAnswer, User } from "./wire.ts";

/** How soon the state is asked for again, while the server gives no answer. */
const ASK_AGAIN_MS = 5_000;

export type Change = "duty" | "availability";

export class OwnDuty {
  state = $state.raw<OwnState>(firstState({}));
  /** What was asked for and is not answered yet. */
  changing = $state<Change | null>(null);
  problem = $state("");
  link = $state.raw<Link>({ state: "connecting", attempt: 0 });
  /** Their email may change while the page is open. */
  #user: User;
  readonly #recheck: () => Promise<User | null>;
  #socket: OwnConnection;
  #calls: Promise<void> = Promise.resolve();
  #closed = false;
  #asking: ReturnType<typeof setTimeout> | undefined;
  /** A socket from before a logout has no say in what comes after it: nobody would miss it. */
  #socketIsOld = false;
  /** Moves on with everything that changes the state, or may do so. */
  #moment = 0;
  /** An answer about the state was of no use, because a change was on its way. */
  #askAgain = false;

  /** `recheck` asks the server who is signed in, and with which state. */
  constructor(user: User, recheck: () => Promise<User | null>) {
    this.#user = user;
    this.#recheck = recheck;
    this.state = firstState(user);
    this.#socket = this.#connect();
  }

  goOnDuty(): Promise<void> {
    return this.#call("duty", api.goOnDuty);
  }

  goOffDuty(): Promise<void> {
    return this.#call("duty", api.goOffDuty);
  }

  setAvailability(available: boolean): Promise<void> {
    return this.#call("availability", () => api.setAvailability(available));
  }

  /** Tries now instead of later; or again, after the server closed the connection for good. */
  connectNow(): void {
    if (this.link.state === "stopped") this.#reopen();
    else this.#socket.check();
  }

  /** The doctor has read it. */
  dismissTold(): void {
    this.state = { ...this.state, told: null };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#asking);
    this.#socket.close();
  }

  /** A second touch of the same button is no other wish; one of the other button waits for its turn. */
  #call(changing: Change, change: () => Promise<StateAnswer>): Promise<void> {
    if (this.changing !== changing) {
      this.#calls = this.#calls.then(() => (this.#closed ? undefined : this.#change(changing, change)));
    }
    return this.#calls;
  }

  async #change(changing: Change, change: () => Promise<StateAnswer>): Promise<void> {
    this.changing = changing;
    this.problem = "";
    this.#moment += 1;
    try {
      const answer = await change();
      this.#become(afterAnswer(this.state, answer));
      // Whoever goes on duty wants to be missed when they are gone.
      if (changing === "duty" && this.state.live && this.link.state === "stopped") this.#reopen();
    } catch (error) {
      this.problem = api.explain(error);
      // It may have been done all the same; or the session is over.
      this.#askAgain = true;
    } finally {
      this.changing = null;
      if (this.#askAgain) void this.#refresh(afterDoubt);
    }
  }

  /** Asks the server for the state; false when that is nobody's any more. */
  async #refresh(after: typeof afterReturn): Promise<boolean> {
    this.#askAgain = false;
    const moment = this.#moment;
    const user = await this.#recheck();
    if (this.#closed) return false;
    clearTimeout(this.#asking);
    if (!user) {
      // No answer, or this page is about to be closed. The connection does not repeat what it missed.
      this.#asking = setTimeout(() => void this.#refresh(after), ASK_AGAIN_MS);
      return false;
    }
    if (user.id !== this.#user.id) return false;
    const hasMoved = user.email !== this.#user.email;
    this.#user = user;
    // The old address is nobody's any more.
    if (hasMoved && this.link.state === "stopped") this.#reopen();
    // An answer that overlaps with a change may be from before it.
    if (this.changing) this.#askAgain = true;
    else if (moment !== this.#moment) return this.#refresh(after);
    else this.#become(after(this.state, user));
    return true;
  }

  #become(state: OwnState): void {
    this.#moment += 1;
    if (this.state.live && !state.live) this.#socketIsOld = true;
    this.state = state;
    if (state.live && this.#socketIsOld) this.#reopen();
  }

  #hear(message: OwnMessage): void {
    const isOwn = message.type === "doctor_login_logout" || message.type === "doctor_status_change";
    if (isOwn && message.doctor_id === this.#user.id) this.#become(afterEvent(this.state, message));
  }

  /** A new password ends the old session with its sockets, and begins another: then there is a connection to have. */
  async #stopped(sessionEnded: boolean): Promise<void> {
    const isSignedIn = await this.#refresh(afterReturn);
    if (sessionEnded && isSignedIn && this.link.state === "stopped") this.#reopen();
  }

  #reopen(): void {
    this.#socketIsOld = false;
    this.#socket.close();
    this.#socket = this.#connect();
  }

  #connect(): OwnConnection {
    return new OwnConnection(this.#user.email, {
      onMessage: (message) => this.#hear(message),
      onLink: (link) => {
        const wasUp = this.link.state === "connected";
        this.link = link;
        if (link.state === "connected") {
          this.#socketIsOld = false;
          void this.#refresh(afterReturn);
        } else if (link.state === "stopped") {
          void this.#stopped(wasUp && link.code === SESSION_ENDED);
        }
      },
    });
  }
}
