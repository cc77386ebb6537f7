// Where a form tells what is wrong with it: at the field at fault, or above them all.

import { explain } from "./api.ts";

/** What is wrong, by field; `form` is what is wrong with none of them. */
export type Problems<Field extends string> = Partial<Record<Field | "form", string>>;

/** Something wrong with a field that the page sees without asking the server. */
export class Mistake extends Error {
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.name = "Mistake";
    this.field = field;
  }
}

/** A refusal, told at its field where the form has that: it may be about something that nobody can see there. */
export function problemsOf<Field extends string>(error: unknown, fields: readonly Field[]): Problems<Field> {
  const named = error instanceof Error && "field" in error ? error.field : undefined;
  const place = fields.find((field) => field === named) ?? "form";
  const problems: Problems<string> = { [place]: explain(error) };
  return problems;
}
