import assert from "node:assert/strict";
import { test } from "node:test";
import { afterAnswer, afterDoubt, afterEvent, afterReturn, firstState, type OwnState } from "./own-state.ts";
import type { DoctorEvent, DoctorInfo, LoginAction, Reason, StateAnswer } from "./wire.ts";

const ann = (is_live: boolean, is_available_for_consultation = true): DoctorInfo => ({
  id: 7,
  username: "ann.lee",
  first_name: "Ann",
  last_name: "Lee",
  is_available_for_consultation,
  is_live,
  consultation_hours: "",
  specialization: "",
  hospital: "General Hospital",
});

const at = (seq: number): string => `2026-11-21T09:00:${String(seq).padStart(2, "0")}Z`;

const came = (seq: number, action: LoginAction, reason?: Reason): DoctorEvent => ({
  type: "doctor_login_logout",
  doctor_id: 7,
  action,
  doctor_name: "Dr. Ann Lee",
  timestamp: at(seq),
  message: "",
  seq,
  ...(reason && { reason }),
});

const became = (seq: number, available: boolean, reason?: Reason): DoctorEvent => ({
  type: "doctor_status_change",
  doctor_id: 7,
  is_available_for_consultation: available,
  doctor_info: ann(true, available),
  timestamp: at(seq),
  seq,
  ...(reason && { reason }),
});

const answer = (seq: number, doctor: DoctorInfo): StateAnswer => ({ status: "success", changed: true, seq, doctor });

const onDuty: OwnState = afterEvent(firstState(ann(false)), came(5, "login"));

test("an event says the state, and since when", () => {
  assert.deepEqual(onDuty, { seq: 5, live: true, available: true, since: at(5), told: null });
  const busy = afterEvent(onDuty, became(6, false));
  assert.deepEqual(busy, { seq: 6, live: true, available: false, since: at(5), told: null });
});

test("an older event does not override a newer answer, nor an older answer a newer event", () => {
  const answered = afterAnswer(onDuty, answer(9, ann(true, false)));
  assert.equal(afterEvent(answered, became(8, true)), answered);
  const taken = afterEvent(onDuty, came(9, "logout", "admin"));
  assert.equal(afterAnswer(taken, answer(8, ann(true))), taken);
});

test("the event of a call adds since when, before or after the call is answered", () => {
  const first = firstState(ann(false));
  const [event, answered] = [came(5, "login"), answer(5, ann(true))];
  const expected = { seq: 5, live: true, available: true, since: at(5), told: null };
  assert.deepEqual(afterEvent(afterAnswer(first, answered), event), expected);
  assert.deepEqual(afterAnswer(afterEvent(first, event), answered), expected);
});

test("what others did is told for as long as it is so", () => {
  const taken = afterEvent(onDuty, came(9, "logout", "connection_lost"));
  assert.deepEqual([taken.live, taken.since, taken.told], [false, at(9), came(9, "logout", "connection_lost")]);
  const stillOff = afterAnswer(taken, answer(10, ann(false, false)));
  assert.equal(stillOff.told, taken.told);
  assert.equal(afterAnswer(stillOff, answer(11, ann(true, false))).told, null);
  const setBusy = afterEvent(onDuty, became(9, false, "admin"));
  assert.equal(afterEvent(setBusy, became(10, true)).told, null);
});

test("off duty after a time without a connection is told, but not after a call of one's own that got no answer", () => {
  const back = afterReturn(onDuty, ann(false));
  assert.deepEqual([back.live, back.since, back.told], [false, null, "missed"]);
  assert.equal(afterDoubt(onDuty, ann(false)).told, null);
  assert.equal(afterReturn(back, ann(false)).told, "missed");
  assert.equal(afterReturn(onDuty, ann(true)).since, at(5));
  assert.equal(afterAnswer(back, answer(9, ann(true))).told, null);
});
