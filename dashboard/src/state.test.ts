import assert from "node:assert/strict";
import { test } from "node:test";
import type { BoardMessage } from "./socket.ts";
import { EMPTY_BOARD, NOTICES_SHOWN, reduce, type Action, type Board } from "./state.ts";
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

function snapshot(seq: number, recent: DoctorEvent[] = [], live_since: Record<string, string> = {}): BoardMessage {
  return { type: "snapshot", seq, doctors: [ann, chen], recent, connections: 0, live_since };
}

function boardAfter(...messages: Action[]): Board {
  return messages.reduce(reduce, EMPTY_BOARD);
}

test("a snapshot is the whole board, whatever was there before", () => {
  const board = boardAfter(snapshot(40), cameOrWent(41, "login"), snapshot(3));
  assert.equal(board.seq, 3);
  assert.deepEqual(
    board.doctors,
    [ann, chen].map((doctor) => ({ ...doctor, since: null })),
  );
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
    assert.equal(reduce(once, again), once);
  }
});

test("resuming where nothing was missed changes nothing", () => {
  const before = boardAfter(snapshot(40));
  assert.equal(reduce(before, { type: "resumed", from: 40, seq: 40, recovered: true }), before);
});

test("an event before the first snapshot is left to the snapshot", () => {
  assert.equal(reduce(EMPTY_BOARD, cameOrWent(1, "login")), EMPTY_BOARD);
});

test("a message of a newer server is ignored", () => {
  const before = boardAfter(snapshot(40));
  const unknown = { type: "weather", seq: 41 } as unknown as BoardMessage;
  assert.equal(reduce(before, unknown), before);
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
  assert.equal(reduce(board, snapshot(41)).complete, true);
});

test("the list keeps the last ten, test notifications included", () => {
  let board = boardAfter(snapshot(0));
  for (let seq = 1; seq <= 12; seq += 1) board = reduce(board, cameOrWent(seq, seq % 2 ? "login" : "logout"));
  board = reduce(board, {
    type: "test",
    notice: { key: "test-1", action: "login", doctorName: "Dr. Test Doctor", timestamp: "" },
  });
  assert.equal(board.notices.length, NOTICES_SHOWN);
  assert.equal(board.notices[0]?.key, "test-1");
  assert.equal(board.notices.at(-1)?.key, "event-4");
});

test("the reason of an automatic logout is kept", () => {
  const board = boardAfter(snapshot(40), { ...cameOrWent(41, "logout"), reason: "connection_lost" } as DoctorEvent);
  assert.equal(board.notices[0]?.reason, "connection_lost");
});

test("since when a doctor is there comes with the snapshot, and from then on with what happens", () => {
  const before = boardAfter(snapshot(40, [], { 7: "2026-11-20T08:00:00Z" }));
  assert.deepEqual(
    before.doctors.map(({ since }) => since),
    ["2026-11-20T08:00:00Z", null],
  );
  const after = reduce(reduce(before, cameOrWent(41, "login", chen)), becameAvailable(42, chen));
  assert.deepEqual(
    after.doctors.map(({ since }) => since),
    ["2026-11-20T08:00:00Z", "2026-11-21T09:00:00Z"],
  );
});

test("what came while the page was away is counted and kept until it is read", () => {
  const away = boardAfter(snapshot(40), cameOrWent(41, "login"), cameOrWent(42, "logout"), cameOrWent(43, "login"));
  const back = reduce(away, { type: "resumed", from: 41, seq: 43, recovered: true });
  assert.equal(back.missed?.count, 2);
  assert.deepEqual(
    back.missed?.events.map(({ seq }) => seq),
    [42, 43],
  );
  assert.equal(reduce(back, { type: "missed_was_read" }).missed, null);

  const again = reduce(reduce(back, cameOrWent(44, "logout")), { type: "resumed", from: 43, seq: 44, recovered: true });
  assert.equal(again.missed?.count, 3, "nobody has read the first two yet");
});

test("a snapshot in place of what was missed tells how much that was, and shows the latest", () => {
  const recent = [cameOrWent(1500, "logout"), cameOrWent(1499, "login"), cameOrWent(40, "login")];
  const lost: Action = { type: "resumed", from: 40, seq: 1500, recovered: false };
  const board = boardAfter(snapshot(40), lost, snapshot(1500, recent));
  assert.equal(board.missed?.count, 1460);
  assert.deepEqual(
    board.missed?.events.map(({ seq }) => seq),
    [1499, 1500],
  );
  assert.equal(reduce(EMPTY_BOARD, snapshot(1500)).missed, null, "the first one is no return");
});

test("the day is its history and what came after it, in order and once", () => {
  let board = boardAfter(snapshot(41), cameOrWent(42, "logout"));
  assert.equal(board.dayIsWhole, false);
  const page = [cameOrWent(40, "logout"), cameOrWent(41, "login"), cameOrWent(42, "logout"), cameOrWent(43, "login")];
  board = reduce(board, { type: "history", events: page, whole: true });
  assert.deepEqual(
    board.day.map(({ seq }) => seq),
    [40, 41, 42],
    "what the board has not heard yet comes live",
  );
  board = reduce(board, cameOrWent(43, "login"));
  assert.deepEqual(
    board.day.map(({ seq }) => seq),
    [40, 41, 42, 43],
  );
  assert.equal(board.dayIsWhole, true);
});

test("a snapshot that jumps over events leaves a hole in the day, one of a changed roster does not", () => {
  const board = boardAfter(snapshot(41), { type: "history", events: [cameOrWent(41, "login")], whole: true });
  assert.equal(reduce(board, snapshot(41)).dayIsWhole, true);
  assert.equal(reduce(board, snapshot(45)).dayIsWhole, false);
});

test("a new day forgets the last one", () => {
  const board = boardAfter(snapshot(40), { ...cameOrWent(41, "login"), timestamp: "2026-11-21T23:59:59Z" }, {
    ...cameOrWent(42, "logout"),
    timestamp: "2026-11-22T00:00:00Z",
  });
  const next = reduce(board, { type: "day_began", start: new Date("2026-11-22T00:00:00Z") });
  assert.deepEqual(
    next.day.map(({ seq }) => seq),
    [42],
  );
  assert.equal(next.seq, 42);
});

test("how many people are connected is what was said last", () => {
  assert.equal(boardAfter(snapshot(40), { type: "connections", connections: 3 }).connections, 3);
});
