// The Worker's HTTP API, one function per call. The session is an HttpOnly cookie, which the browser adds by itself.
// Invariant: every failure is an `ApiError`, also when there was no answer at all.

import type { Login, Refusal, StateAnswer, User } from "./wire.ts";

/** A refusal, or the lack of an answer (`status` 0, `code` "unreachable"). `message` is a sentence for people. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;

  constructor(status: number, { detail, code, field }: Refusal) {
    super(detail);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

export function signIn(account: string, password: string): Promise<Login> {
  const who = account.includes("@") ? { email: account } : { username: account };
  return call("POST", "/api/users/login/", { ...who, password });
}

export function signOut(): Promise<void> {
  return call("POST", "/api/users/logout/");
}

/** Answers as signing in does: every session ends, and a new one begins in this browser. */
export function changePassword(current: string, next: string): Promise<Login> {
  return call("POST", "/api/users/password/", { current_password: current, new_password: next });
}

/** Who is signed in in this browser; null when nobody is. */
export async function me(): Promise<User | null> {
  try {
    return await call<User>("GET", "/api/users/me/");
  } catch (error) {
    if (isNotSignedIn(error)) return null;
    throw error;
  }
}

export function goOnDuty(): Promise<StateAnswer> {
  return call("POST", "/api/users/login-status/", {});
}

export function goOffDuty(): Promise<StateAnswer> {
  return call("POST", "/api/users/logout-status/", {});
}

export function setAvailability(available: boolean): Promise<StateAnswer> {
  return call("POST", "/api/users/availability-status/", { is_available_for_consultation: available });
}

export function isNotSignedIn(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** Whether asking who is signed in shows the person what to do about it: sign in again, or choose a password. */
export function isAboutSession(error: unknown): boolean {
  return isNotSignedIn(error) || (error instanceof ApiError && error.code === "password_change_required");
}

/** What to tell the person about a failure. */
export function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const TIMEOUT_MS = 15_000;

async function call<Answer>(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
  const init: RequestInit = { method, signal: AbortSignal.timeout(TIMEOUT_MS) };
  if (body) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init).catch(() => {
    throw new ApiError(0, { code: "unreachable", detail: "The server cannot be reached. Please try again." });
  });
  if (!response.ok) throw new ApiError(response.status, await refusal(response));
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

/** The refusal in `response`; a proxy on the way may have answered something else instead. */
async function refusal(response: Response): Promise<Refusal> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body === "object" && body !== null && "detail" in body && "code" in body) return body as Refusal;
  return { code: "unavailable", detail: `The server answered with an error (${response.status}). Please try again.` };
}
