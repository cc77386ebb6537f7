import assert from "node:assert/strict";
import { test } from "node:test";
import { dutyRows, eventsSince, headcount } from "./day.ts";
import type { Doctor } from "./state.ts";
import type { DoctorEvent } from "./wire.ts";

const START = Date.parse("2026-11-21T00:00:00Z");
const at = (hour: number): number => START + hour * 3_600_000;

function doctor(id: number, first_name: string, is_live: boolean): Doctor {
  return {
    id,
    username: first_name,
    first_name,
    last_name: "Lee",
    is_available_for_consultation: false,
    is_live,
    consultation_hours: "",
    specialization: "",
    hospital: "",
    since: null,
  };
}

let seq = 0;
function event(doctor_id: number, action: "login" | "logout", hour: number): DoctorEvent {
  const timestamp = new Date(at(hour)).toISOString();
  const who = { doctor_id, doctor_name: "Dr. Gone Away" };
  return { type: "doctor_login_logout", ...who, action, timestamp, message: "", seq: ++seq };
}

const hour = (at: number): number => (at - START) / 3_600_000;

function rows(doctors: Doctor[], day: DoctorEvent[]) {
  return dutyRows({ doctors, day }, START).map(({ name, stays }) => [
    name,
    ...stays.map(({ from, to }) => [hour(from), to && hour(to)]),
  ]);
}

test("a stay lasts from login to logout, or lasts still", () => {
  const day = [event(1, "login", 8), event(1, "logout", 9), event(1, "login", 10)];
  assert.deepEqual(rows([doctor(1, "Ann", true)], day), [["Dr. Ann Lee", [8, 9], [10, null]]]);
});

test("who goes first was there when the day began", () => {
  assert.deepEqual(rows([doctor(1, "Ann", false)], [event(1, "logout", 3)]), [["Dr. Ann Lee", [0, 3]]]);
});

test("who is there and did nothing all day has been there all day", () => {
  assert.deepEqual(rows([doctor(1, "Ann", true), doctor(2, "Bob", false)], []), [["Dr. Ann Lee", [0, null]]]);
});

test("a doctor who has left the hospital keeps their stay, by the name they had", () => {
  assert.deepEqual(rows([], [event(9, "login", 1), event(9, "logout", 2)]), [["Dr. Gone Away", [1, 2]]]);
});

test("who came first is first", () => {
  const day = [event(2, "login", 6), event(1, "login", 7)];
  const names = rows([doctor(1, "Ann", true), doctor(2, "Bob", true)], day).map(([name]) => name);
  assert.deepEqual(names, ["Dr. Bob Lee", "Dr. Ann Lee"]);
});

test("what was before the day is no stay of it, however often they came", () => {
  const yesterday = [event(1, "login", -3), event(1, "logout", -2), event(1, "login", -1)];
  assert.deepEqual(rows([doctor(1, "Ann", true)], yesterday), [["Dr. Ann Lee", [0, null]]]);
  assert.deepEqual(rows([doctor(1, "Ann", false)], [...yesterday, event(1, "logout", 2)]), [["Dr. Ann Lee", [0, 2]]]);
});

test("a change of availability is no stay", () => {
  const ann = doctor(1, "Ann", false);
  const change: DoctorEvent = {
    type: "doctor_status_change",
    doctor_id: 1,
    is_available_for_consultation: true,
    doctor_info: ann,
    timestamp: new Date(at(5)).toISOString(),
    seq: ++seq,
  };
  assert.deepEqual(rows([ann], [change]), []);
});

test("the headcount goes up with each who comes and down with each who goes", () => {
  const day = [event(1, "login", 6), event(2, "login", 7), event(1, "logout", 8)];
  const found = dutyRows({ doctors: [doctor(1, "Ann", false), doctor(2, "Bob", true)], day }, START);
  assert.deepEqual(
    headcount(found, START).map(({ at, count }) => [hour(at), count]),
    [
      [0, 0],
      [6, 1],
      [7, 2],
      [8, 1],
    ],
  );
});

test("yesterday's events do not count today", () => {
  assert.equal(eventsSince([event(1, "login", -1), event(1, "logout", 0), event(1, "login", 5)], START), 2);
});
