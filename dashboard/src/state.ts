// The board: what a dashboard knows of its hospital. Pure: no DOM, fetch, WebSocket or clock.
// Invariant: a board contains every event up to `seq` and none after it, so applying a message again changes nothing.

import type { BoardMessage } from "./socket.ts";
import type { DoctorEvent, DoctorInfo, LoginAction, Reason } from "./wire.ts";

/** A doctor, and when they came or went last; null where they never did. */
export interface Doctor extends DoctorInfo {
  since: string | null;
}

/** A doctor came or went: one entry of the notification list, one pop-up. */
export interface Notice {
  /** Unique on the page; the same event always has the same key. */
  key: string;
  action: LoginAction;
  doctorName: string;
  timestamp: string;
  reason?: Reason;
}

/** What happened between two connections. */
export interface Missed {
  count: number;
  /** Oldest first; only the latest where there were too many to send. */
  events: readonly DoctorEvent[];
}

export interface Board {
  /** The latest event in the board; null before the first snapshot. */
  seq: number | null;
  doctors: readonly Doctor[];
  /** Newest first. */
  notices: readonly Notice[];
  /** People with an open connection of their own. */
  connections: number;
  /** The day's events, oldest first, from the history and live; all of them only when `dayIsWhole`. */
  day: readonly DoctorEvent[];
  dayIsWhole: boolean;
  missed: Missed | null;
  /** False once an event was about a doctor the board has never heard of: only a snapshot can help. */
  complete: boolean;
}

export type Action =
  | BoardMessage
  /** Events of the day from the history; `whole` with the last of them. */
  | { type: "history"; events: readonly DoctorEvent[]; whole: boolean }
  /** A new day in the hospital: what was before `start` belongs to the last one. */
  | { type: "day_began"; start: Date }
  | { type: "missed_was_read" }
  /** Shows that the box and the pop-ups work. */
  | { type: "test"; notice: Notice };

export const NOTICES_SHOWN = 10;

export const EMPTY_BOARD: Board = {
  seq: null,
  doctors: [],
  notices: [],
  connections: 0,
  day: [],
  dayIsWhole: false,
  missed: null,
  complete: true,
};

/** The board after `action`; the very same object when that is old or says nothing about it. */
export function reduce(board: Board, action: Action): Board {
  switch (action.type) {
    case "snapshot":
      return afterSnapshot(board, action);
    case "doctor_login_logout":
    case "doctor_status_change":
      return isNews(board, action) ? record(board, action) : board;
    case "resumed":
      return action.recovered ? withMissed(board, action.seq - action.from, board.day) : board;
    case "connections":
      return { ...board, connections: action.connections };
    case "history":
      return withHistory(board, action.events, action.whole);
    case "day_began":
      return { ...board, day: board.day.filter(({ timestamp }) => new Date(timestamp) >= action.start) };
    case "missed_was_read":
      return board.missed ? { ...board, missed: null } : board;
    case "test":
      return withNotice(board, action.notice);
    case "error":
      return board;
    default:
      // A newer server may say more than this page knows.
      action satisfies never;
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

function afterSnapshot(board: Board, snapshot: Extract<BoardMessage, { type: "snapshot" }>): Board {
  const { seq, connections, live_since } = snapshot;
  const next: Board = {
    seq,
    connections,
    doctors: snapshot.doctors.map((doctor) => ({ ...doctor, since: live_since[doctor.id] ?? null })),
    notices: snapshot.recent.map(noticeOf).filter((notice) => notice !== null),
    day: board.day,
    // It jumps over events, except where it only tells of a change of the roster.
    dayIsWhole: board.dayIsWhole && seq === board.seq,
    missed: board.missed,
    complete: true,
  };
  const news = snapshot.recent.filter((event) => isNews(board, event)).toReversed();
  return board.seq === null ? next : withMissed(next, seq - board.seq, news);
}

/** What the history has beyond `seq` comes live. */
function withHistory(board: Board, events: readonly DoctorEvent[], whole: boolean): Board {
  const known = events.filter((event) => !isNews(board, event));
  return { ...board, day: merge(board.day, known), dayIsWhole: board.dayIsWhole || whole };
}

function record(board: Board, event: DoctorEvent): Board {
  const known = board.doctors.find((doctor) => doctor.id === event.doctor_id);
  const after = afterEvent(known, event);
  const notice = noticeOf(event);
  const next: Board = {
    ...board,
    seq: event.seq,
    doctors: after ? withDoctor(board.doctors, after) : board.doctors,
    day: [...board.day, event],
    complete: board.complete && after !== undefined,
  };
  return notice ? withNotice(next, notice) : next;
}

/** The board with one more entry in its notification list. */
function withNotice(board: Board, notice: Notice): Board {
  return { ...board, notices: [notice, ...board.notices].slice(0, NOTICES_SHOWN) };
}

/** The last `count` of `events`, added to what nobody has read yet. */
function withMissed(board: Board, count: number, events: readonly DoctorEvent[]): Board {
  if (count <= 0) return board;
  const unread = board.missed ?? { count: 0, events: [] };
  return { ...board, missed: { count: unread.count + count, events: merge(unread.events, events.slice(-count)) } };
}

/** The doctor after `event`; a login or logout alone does not say who a doctor is. */
function afterEvent(known: Doctor | undefined, event: DoctorEvent): Doctor | undefined {
  if (event.type === "doctor_status_change") return { ...event.doctor_info, since: known?.since ?? null };
  return known && { ...known, is_live: event.action === "login", since: event.timestamp };
}

function withDoctor(doctors: readonly Doctor[], doctor: Doctor): readonly Doctor[] {
  const place = doctors.findIndex(({ id }) => id === doctor.id);
  return place < 0 ? [...doctors, doctor].sort(byName) : doctors.with(place, doctor);
}

function byName(a: DoctorInfo, b: DoctorInfo): number {
  return a.first_name.localeCompare(b.first_name) || a.last_name.localeCompare(b.last_name);
}

/** Both in one, by `seq`, each event once. */
function merge(some: readonly DoctorEvent[], others: readonly DoctorEvent[]): readonly DoctorEvent[] {
  const bySeq = new Map([...some, ...others].map((event) => [event.seq, event]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}
