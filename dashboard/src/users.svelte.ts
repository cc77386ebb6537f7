// The hospital's users, as far as the administrator has looked through them.
// Invariant: every user in the list is as the server last answered.

import * as api from "./api.ts";
import { t } from "./text.ts";
import { changesTo, nameOf, newUser, withPage, type UserDraft } from "./users.ts";
import type { Role, TemporaryPassword, User } from "./wire.ts";

const PAGE = 25;
/** Somebody who types does not want an answer to every letter. */
const TYPING_MS = 300;

export class UserList {
  /** By first, then last name, after whom this page has added; null before the first answer. */
  users = $state.raw<readonly User[] | null>(null);
  /** How many match. */
  count = $state(0);
  /** Whether there are more of them on the server. */
  hasMore = $state(false);
  busy = $state(false);
  problem = $state("");
  /** What came of the last change. */
  notice = $state("");
  #search = $state("");
  #role = $state<Role | "">("");
  /** So many were read from the server. */
  #read = 0;
  /** Which page could not be read: the one after so many. */
  #failed = 0;
  /** Moves on when what was asked for before is of no use any more. */
  #asked = 0;
  #typing: ReturnType<typeof setTimeout> | undefined;
  readonly #recheck: () => void;

  /** `recheck` asks the server who is signed in. */
  constructor(recheck: () => void) {
    this.#recheck = recheck;
    void this.startOver();
  }

  get search(): string {
    return this.#search;
  }

  set search(search: string) {
    this.#search = search;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => void this.startOver(), TYPING_MS);
  }

  /** Empty for all of them. */
  get role(): Role | "" {
    return this.#role;
  }

  set role(role: Role | "") {
    this.#role = role;
    void this.startOver();
  }

  get isFiltered(): boolean {
    return Boolean(this.#search.trim() || this.#role);
  }

  showAll(): void {
    this.#search = "";
    this.role = "";
  }

  /** The first page; what is shown stays until it is there. */
  startOver(): Promise<void> {
    this.notice = "";
    return this.#ask(0);
  }

  readOn(): Promise<void> {
    return this.#ask(this.#read);
  }

  /** After a problem: the page that is missing, or what matches now. */
  tryAgain(): Promise<void> {
    return this.#ask(this.#failed);
  }

  async #ask(offset: number): Promise<void> {
    clearTimeout(this.#typing);
    const asked = ++this.#asked;
    this.busy = true;
    this.problem = "";
    try {
      const query = { search: this.#search.trim(), role: this.#role || undefined, limit: PAGE, offset };
      const { count, results } = await api.users(query);
      if (asked !== this.#asked) return;
      this.users = withPage(offset === 0 ? [] : (this.users ?? []), results);
      this.count = count;
      this.#read = offset + results.length;
      this.hasMore = results.length > 0 && this.#read < count;
    } catch (error) {
      if (asked !== this.#asked) return;
      this.problem = api.explain(error);
      this.#failed = offset;
      if (api.isAboutSession(error)) this.#recheck();
    } finally {
      if (asked === this.#asked) this.busy = false;
    }
  }

  /** Fails with the server's refusal, as all changes do. */
  async add(draft: UserDraft): Promise<void> {
    this.notice = "";
    const user = await api.createUser(newUser(draft));
    // Where it can be seen, whether it matches or not: with the next search it takes its place.
    this.users = [user, ...(this.users ?? [])];
    this.count += 1;
    this.notice = t.users.added(nameOf(user));
  }

  async edit(user: User, draft: UserDraft): Promise<void> {
    this.notice = "";
    const changes = changesTo(user, draft);
    if (Object.keys(changes).length === 0) return;
    this.notice = t.users.edited(nameOf(this.#take(await api.editUser(user.id, changes))));
  }

  async setActive(user: User, isActive: boolean): Promise<void> {
    this.notice = "";
    const name = nameOf(this.#take(await api.editUser(user.id, { is_active: isActive })));
    this.notice = isActive ? t.users.wasActivated(name) : t.users.wasDeactivated(name);
  }

  /** The password is in the answer, and nowhere else. */
  resetPassword(user: User): Promise<TemporaryPassword> {
    this.notice = "";
    return api.resetPassword(user.id);
  }

  #take(user: User): User {
    this.users = (this.users ?? []).map((known) => (known.id === user.id ? user : known));
    return user;
  }

  close(): void {
    clearTimeout(this.#typing);
    this.#asked += 1;
  }
}
