// The words of the reader's language.

import { en } from "./text/en.ts";

export type Texts = typeof en;

/** English is the only one so far; the first of `navigator.languages` that has a file goes here. */
export const t: Texts = en;
