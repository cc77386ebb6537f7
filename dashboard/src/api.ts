// The Worker's HTTP API, one function per call. The session is an HttpOnly cookie, which the browser adds by itself.
// Invariant: every failure is an `ApiError`, also when there was no answer at all.

import { t } from "./text.ts";
import type {
  ActiveConnections,
  Disconnected,
  ErrorBody,
  EventPage,
  Login,
  Role,
  Sessions,
  StateAnswer,
  TemporaryPassword,
  User,
  Users,
} from "./wire.ts";

/** An error answer, or the lack of an answer (`status` 0, `code` "unreachable"). `message` is a sentence for people. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;

  constructor(status: number, { detail, code, field }: ErrorBody) {
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

/** Which events: `since` and `before` are numbers of events, both left out; `from` is in, `to` is out. */
export interface EventQuery {
  since?: number;
  before?: number;
  limit?: number;
  doctorId?: number | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
}

/** Oldest first. With `before`, the last of those that match, and `previous` for what is in front of them. */
export function events(query: EventQuery): Promise<EventPage> {
  return call("GET", `/api/events/?${eventQuery(query)}`);
}

/** A page of the same as a table, and the `since` of the page behind it, if there is one. */
export async function eventsAsCsv(query: EventQuery): Promise<{ text: string; next: number | undefined }> {
  const answer = await send("GET", `/api/events/?${eventQuery(query)}`, undefined, "text/csv");
  const next = answer.headers.get("Rollcall-Next");
  return { text: await answer.text(), next: next === null ? undefined : Number(next) };
}

export function activeConnections(): Promise<ActiveConnections> {
  return call("GET", "/api/hms/active-connections");
}

/** Closes all of that person's sockets. */
export function disconnect(email: string): Promise<Disconnected> {
  return call("DELETE", `/api/hms/active-connections/${encodeURIComponent(email)}`);
}

export interface UserQuery {
  search?: string;
  role?: Role | undefined;
  limit?: number;
  offset?: number;
}

export function users({ search, role, limit, offset }: UserQuery): Promise<Users> {
  return call("GET", `/api/users/?${query({ search: search || undefined, role, limit, offset })}`);
}

/** What an administrator may say of a user. */
export type UserFields = Partial<Omit<User, "id" | "time_zone" | "hospital_id" | "must_change_password">> & {
  password?: string;
};

export function createUser(fields: UserFields): Promise<User> {
  return call("POST", "/api/users/", fields);
}

export function editUser(id: number, fields: UserFields): Promise<User> {
  return call("PATCH", `/api/users/${id}/`, fields);
}

export function resetPassword(id: number): Promise<TemporaryPassword> {
  return call("POST", `/api/users/${id}/reset-password/`, {});
}

/** One's own. */
export function sessions(): Promise<Sessions> {
  return call("GET", "/api/users/sessions/");
}

export function endSession(id: number): Promise<void> {
  return call("DELETE", `/api/users/sessions/${id}/`);
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

function eventQuery({ doctorId, from, to, ...numbers }: EventQuery): string {
  return query({ ...numbers, doctor_id: doctorId, from: from?.toISOString(), to: to?.toISOString() });
}

function query(fields: Record<string, string | number | undefined>): string {
  const given = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, `${value}`]]));
  return new URLSearchParams(given).toString();
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

const TIMEOUT_MS = 15_000;

async function call<Answer>(method: Method, path: string, body?: object): Promise<Answer> {
  const response = await send(method, path, body);
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

async function send(method: Method, path: string, body?: object, accept = "application/json"): Promise<Response> {
  const init: RequestInit = { method, headers: { Accept: accept }, signal: AbortSignal.timeout(TIMEOUT_MS) };
  if (body) {
    init.headers = { ...init.headers, "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init).catch(() => {
    throw new ApiError(0, { code: "unreachable", detail: t.failure.unreachable });
  });
  if (!response.ok) throw new ApiError(response.status, await errorBody(response));
  return response;
}

/** The error in `response`; a proxy on the way may have answered something else instead. */
async function errorBody(response: Response): Promise<ErrorBody> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body === "object" && body !== null && "detail" in body && "code" in body) return body as ErrorBody;
  return { code: "unavailable", detail: t.failure.strange(response.status) };
}
