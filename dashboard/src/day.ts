// Who was on duty over a day: the picture of it, from the day's events and the state they led to. Pure.

import type { Board } from "./state.ts";
import { t } from "./text.ts";
import type { DoctorEvent } from "./wire.ts";

/** Milliseconds since 1970; without an end while it lasts. */
export interface Stay {
  from: number;
  to: number | null;
}

export interface DutyRow {
  doctorId: number;
  name: string;
  /** In order, within the day. */
  stays: readonly Stay[];
}

/** So many doctors are on duty from then on. */
export interface Step {
  at: number;
  count: number;
}

/** Everybody who was on duty since `start`, in milliseconds since 1970; who came first, first. */
export function dutyRows({ day, doctors }: Pick<Board, "day" | "doctors">, start: number): DutyRow[] {
  const rows = new Map<number, { name: string; stays: Stay[]; since: number | null }>();
  for (const doctor of doctors) rows.set(doctor.id, { name: t.doctor.name(doctor), stays: [], since: null });
  const cameAndWent = new Set<number>();
  for (const event of day) {
    const at = Date.parse(event.timestamp);
    if (event.type !== "doctor_login_logout" || at < start) continue;
    const row = rows.get(event.doctor_id) ?? { name: event.doctor_name, stays: [], since: null };
    rows.set(event.doctor_id, row);
    if (event.action === "login") row.since = at;
    // Who goes first was there when the day began.
    else row.stays.push({ from: cameAndWent.has(event.doctor_id) ? (row.since ?? at) : start, to: at });
    if (event.action === "logout") row.since = null;
    cameAndWent.add(event.doctor_id);
  }
  for (const doctor of doctors) {
    const row = rows.get(doctor.id);
    if (!row || !doctor.is_live) continue;
    const since = cameAndWent.has(doctor.id) ? row.since : start;
    if (since !== null) row.stays.push({ from: since, to: null });
  }
  return [...rows]
    .map(([doctorId, { name, stays }]) => ({ doctorId, name, stays }))
    .filter(({ stays }) => stays.length > 0)
    .sort((a, b) => firstOf(a) - firstOf(b) || a.name.localeCompare(b.name));
}

/** How many were on duty at once, at every change. */
export function headcount(rows: readonly DutyRow[], start: number): Step[] {
  const changes = new Map<number, number>([[start, 0]]);
  const change = (at: number, by: number): void => void changes.set(at, (changes.get(at) ?? 0) + by);
  for (const { from, to } of rows.flatMap(({ stays }) => stays)) {
    change(from, 1);
    if (to !== null) change(to, -1);
  }
  let count = 0;
  return [...changes].sort(([a], [b]) => a - b).map(([at, by]) => ({ at, count: (count += by) }));
}

/** The events of `day` since `start`. */
export function eventsSince(day: readonly DoctorEvent[], start: number): number {
  return day.filter(({ timestamp }) => Date.parse(timestamp) >= start).length;
}

function firstOf({ stays: [first] }: DutyRow): number {
  return first?.from ?? 0;
}
