// What every form of the pages does when it is sent: once at a time, and what is wrong is told where it can be mended.
// Invariant: what was typed is the form's own; nothing here changes it.

import { isAboutSession } from "./api.ts";
import { problemsOf, type Problems } from "./problems.ts";

export interface SubmissionOptions<Field extends string> {
  /** The fields that can tell what is wrong with them. */
  fields?: readonly Field[];
  /** Asks the server who is signed in, because it did not do this for whoever is here. */
  recheck?: () => void;
}

export class Submission<Field extends string = never> {
  busy = $state(false);
  problems = $state.raw<Problems<Field>>({});
  readonly #fields: readonly Field[];
  readonly #recheck: () => void;

  constructor({ fields = [], recheck = () => {} }: SubmissionOptions<Field> = {}) {
    this.#fields = fields;
    this.#recheck = recheck;
  }

  /** Whether it was sent, and taken. What `send` throws is told, a `Mistake` among it. */
  async run(event: SubmitEvent, send: () => Promise<unknown>): Promise<boolean> {
    event.preventDefault();
    if (this.busy) return false;
    this.busy = true;
    this.problems = {};
    try {
      await send();
      return true;
    } catch (error) {
      this.problems = problemsOf(error, this.#fields);
      if (isAboutSession(error)) this.#recheck();
      return false;
    } finally {
      this.busy = false;
    }
  }
}
