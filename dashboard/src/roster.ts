// The table of doctors: which of them are shown, and in which order. Pure.

import type { Doctor } from "./state.ts";

export type Presence = "any" | "available" | "busy" | "on_duty" | "off_duty";
export type Column = "name" | "specialization" | "state" | "since";

export interface RosterFilter {
  /** Every word of it is part of a name or a specialization. */
  search: string;
  /** Empty for all of them. */
  specialization: string;
  presence: Presence;
}

export interface Order {
  by: Column;
  descending: boolean;
}

export function filtered(doctors: readonly Doctor[], filter: RosterFilter): Doctor[] {
  const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
  return doctors.filter((doctor) => {
    const text = `${doctor.first_name} ${doctor.last_name} ${doctor.username} ${doctor.specialization}`.toLowerCase();
    return (
      words.every((word) => text.includes(word)) &&
      (!filter.specialization || doctor.specialization === filter.specialization) &&
      isThere(doctor, filter.presence)
    );
  });
}

export function sorted(doctors: readonly Doctor[], { by, descending }: Order): Doctor[] {
  const sign = descending ? -1 : 1;
  // By name where they are equal, whichever way round.
  return doctors.toSorted((a, b) => sign * COMPARE[by](a, b) || COMPARE.name(a, b));
}

/** Free for a consultation now: somebody who is not on duty is not, whatever they said last. */
export function isAvailable(doctor: Doctor): boolean {
  return doctor.is_live && doctor.is_available_for_consultation;
}

/** Each once, in order. */
export function specializations(doctors: readonly Doctor[]): string[] {
  const all = new Set(doctors.map(({ specialization }) => specialization).filter(Boolean));
  return [...all].sort(collator.compare);
}

function isThere(doctor: Doctor, presence: Presence): boolean {
  switch (presence) {
    case "any":
      return true;
    case "available":
      return isAvailable(doctor);
    case "busy":
      return doctor.is_live && !doctor.is_available_for_consultation;
    case "on_duty":
      return doctor.is_live;
    case "off_duty":
      return !doctor.is_live;
  }
}

const collator = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });

const COMPARE: Record<Column, (a: Doctor, b: Doctor) => number> = {
  name: (a, b) => collator.compare(a.first_name, b.first_name) || collator.compare(a.last_name, b.last_name),
  specialization: (a, b) => collator.compare(a.specialization, b.specialization),
  // Available, then busy, then off duty.
  state: (a, b) => stateOrder(a) - stateOrder(b),
  since: (a, b) => (a.since ?? "").localeCompare(b.since ?? ""),
};

function stateOrder(doctor: Doctor): number {
  if (!doctor.is_live) return 2;
  return doctor.is_available_for_consultation ? 0 : 1;
}
