// The live board of the dashboard page: the pure board of state.ts, fed by a watcher.

import type { Link } from "./socket.ts";
import { apply, EMPTY_BOARD, isNews, noticeOf, withNotice, type BoardMessage, type Notice } from "./state.ts";
import { Watcher } from "./watcher.ts";

/** A resumed board may have a thousand events to tell; pop-ups are for the latest. */
const POP_UPS_SHOWN = 3;

export class LiveBoard {
  board = $state.raw(EMPTY_BOARD);
  link = $state.raw<Link>({ state: "connecting", attempt: 0 });
  /** Oldest first. */
  popUps = $state.raw<readonly Notice[]>([]);
  readonly #onStopped: () => void;
  #watcher: Watcher;
  #tests = 0;

  /** `onStopped` hears that the server closed the connection for good, as it does when the session ends. */
  constructor(onStopped: () => void) {
    this.#onStopped = onStopped;
    this.#watcher = this.#watch();
  }

  /** After the server closed the connection for good: tries again because the person asks for it. */
  connectAgain(): void {
    this.#watcher.close();
    this.#watcher = this.#watch();
  }

  close(): void {
    this.#watcher.close();
  }

  /** Shows that the box and the pop-ups work; nobody else sees it. */
  testNotification(): void {
    const notice: Notice = {
      key: `test-${++this.#tests}`,
      action: "login",
      doctorName: "Dr. Test Doctor",
      timestamp: new Date().toISOString(),
    };
    this.board = withNotice(this.board, notice);
    this.#popUp(notice);
  }

  dismiss(popUp: Notice): void {
    this.popUps = this.popUps.filter(({ key }) => key !== popUp.key);
  }

  #watch(): Watcher {
    return new Watcher({
      onMessage: (message) => this.#receive(message),
      onLink: (link) => {
        this.link = link;
        if (link.state === "stopped") this.#onStopped();
      },
    });
  }

  #receive(message: BoardMessage): void {
    const news = message.type === "doctor_login_logout" && isNews(this.board, message) && noticeOf(message);
    this.board = apply(this.board, message);
    if (news) this.#popUp(news);
    if (!this.board.complete) this.#watcher.startOver();
  }

  #popUp(notice: Notice): void {
    this.popUps = [...this.popUps, notice].slice(-POP_UPS_SHOWN);
  }
}
