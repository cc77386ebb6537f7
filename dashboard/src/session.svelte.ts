// Who is signed in in this browser, as far as this page knows.
// All pages of a browser share one cookie: when one of them signs in or out, the others ask again.

import * as api from "./api.ts";
import { t } from "./text.ts";
import { hospital } from "./time.svelte.ts";
import type { User } from "./wire.ts";

/** How soon the first question is asked again, while the server gives no answer. */
const ASK_AGAIN_MS = 3_000;

export class Session {
  /** False until the first answer to "who am I?". */
  known = $state(false);
  user = $state.raw<User | null>(null);
  /** Why nobody is signed in, or what went wrong. */
  notice = $state("");
  /** Whether the person signed in on this very page, not on an earlier visit. */
  fresh = false;
  #leaving = false;
  /** Moves on when somebody signs in or out here: an answer from before is about nobody any more. */
  #turn = 0;
  /** Over when the browser has the session that a new password begins. */
  #passwordChange: Promise<unknown> = Promise.resolve();
  readonly #pages = new BroadcastChannel("rollcall.session");

  constructor() {
    this.#pages.onmessage = () => void this.check();
  }

  /**
   * Asks the server who is signed in. Without an answer the page stays as it is, and the result is null; the first
   * question is asked until there is one.
   */
  async check(): Promise<User | null> {
    let user: User | null = null;
    // Asked with the session that just ends, the server would say that nobody is signed in.
    await this.#passwordChange;
    const turn = this.#turn;
    try {
      user = await api.me();
      if (turn !== this.#turn) return null;
      if (user?.id !== this.user?.id) this.fresh = false;
      if (user) this.#is(user);
      else this.#end();
      this.known = true;
    } catch (error) {
      if (turn !== this.#turn) return null;
      this.notice = api.explain(error);
      if (!this.known) setTimeout(() => this.known || void this.check(), ASK_AGAIN_MS);
    }
    return user;
  }

  async signIn(account: string, password: string): Promise<void> {
    const { user } = await api.signIn(account, password);
    this.#turn += 1;
    this.fresh = true;
    this.notice = "";
    this.#is(user);
    this.#pages.postMessage("signed in");
  }

  async changePassword(current: string, next: string): Promise<void> {
    const change = api.changePassword(current, next);
    this.#passwordChange = change.catch(() => {});
    this.#is((await change).user);
    this.notice = "";
    this.#pages.postMessage("password changed");
  }

  async signOut(): Promise<void> {
    this.#leaving = true;
    try {
      await api.signOut();
    } catch (error) {
      if (!api.isNotSignedIn(error)) throw error;
    } finally {
      this.#leaving = false;
    }
    this.#turn += 1;
    this.user = null;
    this.notice = t.session.signedOut;
    this.#pages.postMessage("signed out");
  }

  #is(user: User): void {
    this.user = user;
    hospital.follow(user);
  }

  /** The server ended the session; worth telling, unless it did so because this page asked. */
  #end(): void {
    if (this.#leaving || !this.user) return;
    this.user = null;
    this.notice = t.session.ended;
  }
}
