// A doctor's own state as the server has confirmed it, from its answers and from the events of the own connection.
// Pure: no DOM, fetch, WebSocket or clock.
// Invariant: what is older than the state, by `seq`, never changes it, in whatever order it arrives.

import type { DoctorEvent, DoctorFields, StateAnswer } from "./wire.ts";

export interface OwnState {
  /** The latest event that is known to be in it. What `GET /api/users/me/` says has no number. */
  seq: number;
  live: boolean;
  available: boolean;
  /** Since when on duty, or off it; null where this page has not heard it. */
  since: string | null;
  /** What others did, for as long as it is still so; "missed" for being off duty, nobody told this page why. */
  told: DoctorEvent | "missed" | null;
}

export function firstState(doctor: Partial<DoctorFields>): OwnState {
  return { seq: 0, ...fieldsOf(doctor), since: null, told: null };
}

/** An event of the doctor. It may come before or after the answer to the call that caused it. */
export function afterEvent(state: OwnState, event: DoctorEvent): OwnState {
  if (event.seq < state.seq) return state;
  const after =
    event.type === "doctor_login_logout"
      ? { ...state, live: event.action === "login", since: event.timestamp }
      : become(state, fieldsOf(event.doctor_info));
  const told = event.reason ? event : state.told;
  return whileTrue({ ...after, seq: event.seq, told });
}

/** What a call of this page was answered. */
export function afterAnswer(state: OwnState, { seq, doctor }: StateAnswer): OwnState {
  return seq < state.seq ? state : whileTrue({ ...become(state, fieldsOf(doctor)), seq });
}

/** What the server says of the doctor, asked by this page because a call of its own failed: that may have been done. */
export function afterDoubt(state: OwnState, doctor: Partial<DoctorFields>): OwnState {
  return whileTrue(become(state, fieldsOf(doctor)));
}

/** The same, asked because the page was not connected: then whatever happened was somebody else's doing. */
export function afterReturn(state: OwnState, doctor: Partial<DoctorFields>): OwnState {
  const after = afterDoubt(state, doctor);
  return state.live && !after.live ? { ...after, told: "missed" } : after;
}

function become(state: OwnState, fields: Pick<OwnState, "live" | "available">): OwnState {
  return { ...state, ...fields, since: fields.live === state.live ? state.since : null };
}

function whileTrue(state: OwnState): OwnState {
  return state.told && !isStillSo(state.told, state) ? { ...state, told: null } : state;
}

function isStillSo(told: DoctorEvent | "missed", { live, available }: OwnState): boolean {
  if (told === "missed") return !live;
  if (told.type === "doctor_login_logout") return (told.action === "login") === live;
  return told.is_available_for_consultation === available;
}

function fieldsOf(doctor: Partial<DoctorFields>): Pick<OwnState, "live" | "available"> {
  return { live: doctor.is_live ?? false, available: doctor.is_available_for_consultation ?? false };
}
