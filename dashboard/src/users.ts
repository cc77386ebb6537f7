// What a form about a user says to the server. Pure.
// Invariant: nothing is sent that the administrator did not enter, so that two of them do not undo each other's work.

import type { UserFields } from "./api.ts";
import type { Role, User } from "./wire.ts";

export const ROLES: readonly Role[] = ["doctor", "user", "admin"];

/** The fields as they stand in the form. */
export interface UserDraft {
  email: string;
  username: string;
  first_name: string;
  last_name: string;
  role: Role;
  /** Of doctors only, as is `consultation_hours`. */
  specialization: string;
  consultation_hours: string;
  /** Of new users only. */
  password: string;
}

export const DRAFT_FIELDS = [
  "email",
  "username",
  "first_name",
  "last_name",
  "role",
  "specialization",
  "consultation_hours",
  "password",
] as const satisfies readonly (keyof UserDraft)[];

const OF_ANYBODY = ["email", "username", "first_name", "last_name"] as const;
const OF_DOCTORS = ["specialization", "consultation_hours"] as const;

/** What the form begins with; without a user, that of a new one. */
export function draftOf(user: User | null): UserDraft {
  return {
    email: user?.email ?? "",
    username: user?.username ?? "",
    first_name: user?.first_name ?? "",
    last_name: user?.last_name ?? "",
    role: user?.role ?? "doctor",
    specialization: user?.specialization ?? "",
    consultation_hours: user?.consultation_hours ?? "",
    password: "",
  };
}

/** Everything the server needs for a new user. Without a username it takes the email. */
export function newUser(draft: UserDraft): UserFields {
  const { email, role, password } = draft;
  const fields: UserFields = { email: email.trim(), role, password };
  for (const name of textsOf(draft)) {
    if (name !== "email" && draft[name].trim()) fields[name] = draft[name].trim();
  }
  return fields;
}

/** What the draft changes of `user`; no field when nothing. */
export function changesTo(user: User, draft: UserDraft): UserFields {
  const before = draftOf(user);
  const becomesDoctor = draft.role === "doctor" && user.role !== "doctor";
  const fields: UserFields = {};
  if (draft.role !== user.role) fields.role = draft.role;
  for (const name of textsOf(draft)) {
    const text = draft[name].trim();
    // Who was a doctor before has these still, unseen: what the form shows is what they are to be.
    const isUnseen = becomesDoctor && (name === "specialization" || name === "consultation_hours");
    if (isUnseen || text !== before[name]) fields[name] = text;
  }
  return fields;
}

/** By email where there is no name. */
export function nameOf({ first_name, last_name, email }: User): string {
  return `${first_name} ${last_name}`.trim() || email;
}

/** A page of the list after another. Somebody who was added meanwhile has moved others onto it a second time. */
export function withPage(users: readonly User[], page: readonly User[]): readonly User[] {
  const known = new Map(users.map((user) => [user.id, user]));
  for (const user of page) known.set(user.id, user);
  return [...known.values()];
}

function textsOf({ role }: UserDraft): readonly ((typeof OF_ANYBODY)[number] | (typeof OF_DOCTORS)[number])[] {
  return role === "doctor" ? [...OF_ANYBODY, ...OF_DOCTORS] : OF_ANYBODY;
}
