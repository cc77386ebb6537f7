// A doctor's own state, as the server last confirmed it, and the socket that keeps the doctor present.
// Invariant: `live` and `available` come from the server's answers only, never from what was clicked.

import * as api from "./api.ts";
import { OwnConnection, type Link } from "./socket.ts";
import { t } from "./text.ts";
import type { DoctorFields, StateAnswer, User } from "./wire.ts";

export class OwnDuty {
  live = $state(false);
  available = $state(false);
  busy = $state(false);
  problem = $state("");
  link = $state.raw<Link>({ state: "connecting", attempt: 0 });
  readonly #user: User;
  readonly #recheck: () => Promise<User | null>;
  #socket: OwnConnection;
  /** A socket from before a logout has no say in what comes after it: nobody would miss it. */
  #socketIsOld = false;
  /** Moves on when a change begins and when it ends. */
  #moment = 0;

  /** `recheck` asks the server who is signed in, and with which state. */
  constructor(user: User, recheck: () => Promise<User | null>) {
    this.#user = user;
    this.#recheck = recheck;
    this.#take(user);
    this.#socket = this.#connect();
  }

  async goOnDuty(): Promise<void> {
    await this.#call(api.goOnDuty);
    if (this.live && this.#socketIsOld) this.#socket.reconnect();
  }

  setAvailability(available: boolean): Promise<void> {
    return this.#call(() => api.setAvailability(available));
  }

  /** Tries now instead of later; or again, after the server closed the connection for good. */
  connectNow(): void {
    if (this.link.state !== "stopped") return this.#socket.check();
    this.#socket.close();
    this.#socket = this.#connect();
  }

  close(): void {
    this.#socket.close();
  }

  async #call(change: () => Promise<StateAnswer>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = "";
    this.#moment += 1;
    try {
      this.#take((await change()).doctor);
    } catch (error) {
      this.problem = api.explain(error);
      if (api.isAboutSession(error)) void this.#recheck();
    } finally {
      this.#moment += 1;
      this.busy = false;
    }
  }

  /** While this page was not connected, the room or an administrator may have taken the doctor off duty. */
  async #refresh(): Promise<void> {
    const moment = this.#moment;
    const user = await this.#recheck();
    // An answer that overlaps with a change may be from before it.
    if (user?.id !== this.#user.id || moment !== this.#moment) return;
    const wasLive = this.live;
    this.#take(user);
    if (wasLive && !this.live) this.problem = t.duty.takenOffDuty;
  }

  #take({ is_live, is_available_for_consultation }: Partial<DoctorFields>): void {
    if (this.live && !is_live) this.#socketIsOld = true;
    this.live = is_live ?? false;
    this.available = is_available_for_consultation ?? false;
  }

  #connect(): OwnConnection {
    return new OwnConnection(this.#user.email, {
      onMessage: () => {},
      onLink: (link) => {
        this.link = link;
        if (link.state === "connected") this.#socketIsOld = false;
        if (link.state === "connected" || link.state === "stopped") void this.#refresh();
      },
    });
  }
}
