// The board: what a dashboard knows of its hospital. Pure: no DOM, fetch, WebSocket or clock.
// Invariant: a board contains every event up to `seq` and none after it, so applying a message again changes nothing.

import type { DoctorEvent, DoctorInfo, LoginAction, Reason, WatcherMessage } from "./wire.ts";

/** Everything that arrives on `/ws/doctor-status/`. */
export type BoardMessage = WatcherMessage | DoctorEvent;

/** A doctor came or went: one entry of the notification list, one pop-up. */
export interface Notice {
  /** Unique on the page; the same event always has the same key. */
  key: string;
  action: LoginAction;
  doctorName: string;
  timestamp: string;
  reason?: Reason;
}

export interface Board {
  /** The latest event in the board; null before the first snapshot. */
  seq: number | null;
  doctors: readonly DoctorInfo[];
  /** Newest first. */
  notices: readonly Notice[];
  /** False once an event was about a doctor the board has never heard of: only a snapshot can help. */
  complete: boolean;
}

export const NOTICES_SHOWN = 10;

export const EMPTY_BOARD: Board = { seq: null, doctors: [], notices: [], complete: true };

/** The board after `message`; the very same object when the message is old or says nothing about it. */
export function apply(board: Board, message: BoardMessage): Board {
  switch (message.type) {
    case "snapshot":
      return {
        seq: message.seq,
        doctors: message.doctors,
        notices: message.recent.map(noticeOf).filter((notice) => notice !== null),
        complete: true,
      };
    case "doctor_login_logout":
    case "doctor_status_change":
      return isNews(board, message) ? record(board, message) : board;
    case "resumed":
    case "connections":
    case "error":
      return board;
    default:
      // A newer server may say more than this page knows.
      message satisfies never;
      return board;
  }
}

/** Whether applying `event` would change the board. */
export function isNews(board: Board, event: DoctorEvent): boolean {
  return board.seq !== null && event.seq > board.seq;
}

/** What the notification list shows for an event; nothing for a change of availability. */
export function noticeOf(event: DoctorEvent): Notice | null {
  if (event.type !== "doctor_login_logout") return null;
  const { action, doctor_name: doctorName, timestamp, reason } = event;
  return { key: `event-${event.seq}`, action, doctorName, timestamp, ...(reason && { reason }) };
}

/** The board with one more entry in its notification list. */
export function withNotice(board: Board, notice: Notice): Board {
  return { ...board, notices: [notice, ...board.notices].slice(0, NOTICES_SHOWN) };
}

function record(board: Board, event: DoctorEvent): Board {
  const known = board.doctors.find((doctor) => doctor.id === event.doctor_id);
  const after = afterEvent(known, event);
  const notice = noticeOf(event);
  const next: Board = {
    ...board,
    seq: event.seq,
    doctors: after ? withDoctor(board.doctors, after) : board.doctors,
    complete: board.complete && after !== undefined,
  };
  return notice ? withNotice(next, notice) : next;
}

/** The doctor after `event`; a login or logout alone does not say who a doctor is. */
function afterEvent(known: DoctorInfo | undefined, event: DoctorEvent): DoctorInfo | undefined {
  if (event.type === "doctor_status_change") return event.doctor_info;
  return known && { ...known, is_live: event.action === "login" };
}

function withDoctor(doctors: readonly DoctorInfo[], doctor: DoctorInfo): readonly DoctorInfo[] {
  const others = doctors.filter(({ id }) => id !== doctor.id);
  if (others.length < doctors.length) return doctors.map((old) => (old.id === doctor.id ? doctor : old));
  return [...others, doctor].sort(byName);
}

function byName(a: DoctorInfo, b: DoctorInfo): number {
  return a.first_name.localeCompare(b.first_name) || a.last_name.localeCompare(b.last_name);
}
