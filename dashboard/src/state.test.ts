import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, EMPTY_BOARD, NOTICES_SHOWN, withNotice, type Board, type BoardMessage } from "./state.ts";
import type { DoctorEvent, DoctorInfo } from "./wire.ts";

const ann: DoctorInfo = {
  id: 7,
  username: "ann.lee",
  first_name: "Ann",
  last_name: "Lee",
  is_available_for_consultation: false,
  is_live: false,
  consultation_hours: "09:00-17:00",
  specialization: "Cardiology",
  hospital: "General Hospital",
};
const chen: DoctorInfo = { ...ann, id: 9, username: "chen.wu", first_name: "Chen", last_name: "Wu" };
const bob: DoctorInfo = { ...ann, id: 8, username: "bob.ray", first_name: "Bob", last_name: "Ray" };

function cameOrWent(seq: number, action: "login" | "logout", doctor = ann): DoctorEvent {
  return {
    type: "doctor_login_logout",
    doctor_id: doctor.id,
    action,
    doctor_name: `Dr. ${doctor.first_name} ${doctor.last_name}`,
    timestamp: "2026-11-21T09:00:00Z",
    message: "",
    seq,
  };
}

function becameAvailable(seq: number, doctor = ann): DoctorEvent {
  return {
    type: "doctor_status_change",
    doctor_id: doctor.id,
    is_available_for_consultation: true,
    doctor_info: { ...doctor, is_available_for_consultation: true },
    timestamp: "2026-11-21T09:00:00Z",
    seq,
  };
}

function snapshot(seq: number, recent: DoctorEvent[] = []): BoardMessage {
  return { type: "snapshot", seq, doctors: [ann, chen], recent, connections: 0, live_since: {} };
}

function boardAfter(...messages: BoardMessage[]): Board {
  return messages.reduce(apply, EMPTY_BOARD);
}

test("a snapshot is the whole board, whatever was there before", () => {
  const board = boardAfter(snapshot(40), cameOrWent(41, "login"), snapshot(3));
  assert.equal(board.seq, 3);
  assert.deepEqual(board.doctors, [ann, chen]);
  assert.deepEqual(board.notices, []);
});

test("a snapshot's recent logins and logouts fill the notification list, newest first", () => {
  const board = boardAfter(snapshot(43, [cameOrWent(43, "logout"), becameAvailable(42), cameOrWent(41, "login")]));
  assert.deepEqual(
    board.notices.map(({ key, action }) => [key, action]),
    [
      ["event-43", "logout"],
      ["event-41", "login"],
    ],
  );
});

test("a login puts the doctor on duty and on top of the list", () => {
  const board = boardAfter(snapshot(40), cameOrWent(41, "logout", chen), cameOrWent(42, "login"));
  assert.equal(board.seq, 42);
  assert.equal(board.doctors[0]?.is_live, true);
  assert.equal(board.notices[0]?.doctorName, "Dr. Ann Lee");
  assert.equal(board.notices[0]?.action, "login");
});

test("a change of availability updates the doctor and is no notification", () => {
  const board = boardAfter(snapshot(40), becameAvailable(41));
  assert.equal(board.doctors[0]?.is_available_for_consultation, true);
  assert.deepEqual(board.notices, []);
});

test("applying a message again changes nothing", () => {
  const once = boardAfter(snapshot(40), cameOrWent(41, "login"), cameOrWent(42, "logout"));
  for (const again of [cameOrWent(41, "login"), cameOrWent(42, "logout"), cameOrWent(40, "login")]) {
    assert.equal(apply(once, again), once);
  }
});

test("resuming changes nothing by itself", () => {
  const before = boardAfter(snapshot(40));
  assert.equal(apply(before, { type: "resumed", from: 38, seq: 40, recovered: true }), before);
});

test("an event before the first snapshot is left to the snapshot", () => {
  assert.equal(apply(EMPTY_BOARD, cameOrWent(1, "login")), EMPTY_BOARD);
});

test("a message of a newer server is ignored", () => {
  const before = boardAfter(snapshot(40));
  const unknown = { type: "weather", seq: 41 } as unknown as BoardMessage;
  assert.equal(apply(before, unknown), before);
});

test("a new doctor with full details takes their place by name", () => {
  const board = boardAfter(snapshot(40), becameAvailable(41, bob));
  assert.deepEqual(
    board.doctors.map(({ username }) => username),
    ["ann.lee", "bob.ray", "chen.wu"],
  );
  assert.equal(board.complete, true);
});

test("a login of a doctor never heard of is shown, and asks for a snapshot", () => {
  const board = boardAfter(snapshot(40), cameOrWent(41, "login", bob));
  assert.equal(board.notices[0]?.doctorName, "Dr. Bob Ray");
  assert.equal(board.complete, false);
  assert.equal(apply(board, snapshot(41)).complete, true);
});

test("the list keeps the last ten, test notifications included", () => {
  let board = boardAfter(snapshot(0));
  for (let seq = 1; seq <= 12; seq += 1) board = apply(board, cameOrWent(seq, seq % 2 ? "login" : "logout"));
  board = withNotice(board, { key: "test-1", action: "login", doctorName: "Dr. Test Doctor", timestamp: "" });
  assert.equal(board.notices.length, NOTICES_SHOWN);
  assert.equal(board.notices[0]?.key, "test-1");
  assert.equal(board.notices.at(-1)?.key, "event-4");
});

test("the reason of an automatic logout is kept", () => {
  const board = boardAfter(snapshot(40), { ...cameOrWent(41, "logout"), reason: "connection_lost" } as DoctorEvent);
  assert.equal(board.notices[0]?.reason, "connection_lost");
});
