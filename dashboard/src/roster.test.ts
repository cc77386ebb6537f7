import assert from "node:assert/strict";
import { test } from "node:test";
import { filtered, sorted, specializations, type RosterFilter } from "./roster.ts";
import type { Doctor } from "./state.ts";

const NO_FILTER: RosterFilter = { search: "", specialization: "", presence: "any" };

function doctor(first_name: string, last_name: string, fields: Partial<Doctor> = {}): Doctor {
  return {
    id: 0,
    username: first_name.toLowerCase(),
    first_name,
    last_name,
    is_available_for_consultation: false,
    is_live: false,
    consultation_hours: "",
    specialization: "",
    hospital: "",
    since: null,
    ...fields,
  };
}

const ann = doctor("Ann", "Lee", {
  specialization: "Cardiology",
  is_live: true,
  is_available_for_consultation: true,
  since: "2026-11-21T09:00:00Z",
});
const bob = doctor("Bob", "Ray", { specialization: "Surgery", is_live: true, since: "2026-11-21T08:00:00Z" });
const chen = doctor("Chen", "Wu", { specialization: "Cardiology", is_available_for_consultation: true });
const all = [chen, bob, ann];

const names = (doctors: Doctor[]): string[] => doctors.map(({ first_name }) => first_name);

test("every word of a search is found, in names and specializations, in any order and case", () => {
  assert.deepEqual(names(filtered(all, { ...NO_FILTER, search: "  cardio LEE " })), ["Ann"]);
  assert.deepEqual(names(filtered(all, { ...NO_FILTER, search: "cardio" })), ["Chen", "Ann"]);
  assert.deepEqual(names(filtered(all, { ...NO_FILTER, search: "nobody" })), []);
});

test("nobody off duty is available or busy, whatever they said last", () => {
  const by = (presence: RosterFilter["presence"]) => names(filtered(all, { ...NO_FILTER, presence }));
  assert.deepEqual(by("available"), ["Ann"]);
  assert.deepEqual(by("busy"), ["Bob"]);
  assert.deepEqual(by("on_duty"), ["Bob", "Ann"]);
  assert.deepEqual(by("off_duty"), ["Chen"]);
  assert.deepEqual(by("any"), ["Chen", "Bob", "Ann"]);
});

test("a specialization is matched as a whole", () => {
  assert.deepEqual(names(filtered(all, { ...NO_FILTER, specialization: "Surgery" })), ["Bob"]);
  assert.deepEqual(specializations([...all, doctor("Dan", "Fox")]), ["Cardiology", "Surgery"]);
});

test("sorted by state, who can be asked comes first", () => {
  assert.deepEqual(names(sorted(all, { by: "state", descending: false })), ["Ann", "Bob", "Chen"]);
  assert.deepEqual(names(sorted(all, { by: "state", descending: true })), ["Chen", "Bob", "Ann"]);
});

test("where two are equal, their names decide, whichever way round", () => {
  const order = { by: "specialization", descending: true } as const;
  assert.deepEqual(names(sorted(all, order)), ["Bob", "Ann", "Chen"]);
});

test("sorted by when they came, who never did comes first", () => {
  assert.deepEqual(names(sorted(all, { by: "since", descending: false })), ["Chen", "Bob", "Ann"]);
});

test("sorting leaves the list itself as it was", () => {
  sorted(all, { by: "name", descending: false });
  assert.deepEqual(names(all), ["Chen", "Bob", "Ann"]);
});
