// Where the form for a new password tells what is wrong: at the field at fault, or above them all.

import { ApiError, explain } from "./api.ts";

export type PasswordField = "current_password" | "new_password" | "repeated_password";

export type PasswordProblem = Partial<Record<PasswordField | "form", string>>;

/** The Worker's refusal of a new password. It names one of its own two fields, or none. */
export function passwordProblem(error: unknown): PasswordProblem {
  const field = error instanceof ApiError ? error.field : undefined;
  const place = field === "current_password" || field === "new_password" ? field : "form";
  return { [place]: explain(error) };
}
