import assert from "node:assert/strict";
import { test } from "node:test";
import { changesTo, draftOf, nameOf, newUser, withPage } from "./users.ts";
import type { User } from "./wire.ts";

const ANN: User = {
  id: 7,
  email: "ann.lee@example.com",
  username: "ann.lee",
  first_name: "Ann",
  last_name: "Lee",
  role: "doctor",
  is_active: true,
  hospital_id: 1,
  time_zone: "UTC",
  is_available_for_consultation: true,
  is_live: false,
  consultation_hours: "09:00-17:00",
  specialization: "Cardiology",
  hospital: "General Hospital",
};
const UNA: User = {
  id: 9,
  email: "una@example.com",
  username: "una",
  first_name: "Una",
  last_name: "User",
  role: "user",
  is_active: true,
  hospital_id: 1,
  time_zone: "UTC",
};

test("an untouched form changes nothing, spaces around what is there neither", () => {
  assert.deepEqual(changesTo(ANN, draftOf(ANN)), {});
  assert.deepEqual(changesTo(UNA, draftOf(UNA)), {});
  assert.deepEqual(changesTo(ANN, { ...draftOf(ANN), last_name: " Lee ", email: " ann.lee@example.com" }), {});
});

test("only what is changed is sent, without spaces around it", () => {
  assert.deepEqual(changesTo(ANN, { ...draftOf(ANN), last_name: " Ray " }), { last_name: "Ray" });
  assert.deepEqual(changesTo(ANN, { ...draftOf(ANN), specialization: "" }), { specialization: "" });
  assert.deepEqual(changesTo(UNA, { ...draftOf(UNA), email: "una.user@example.com", role: "admin" }), {
    email: "una.user@example.com",
    role: "admin",
  });
});

test("a change never contains a password, nor anything of the account that is not in the form", () => {
  assert.deepEqual(changesTo(ANN, { ...draftOf(ANN), password: "rollcall-demo" }), {});
});

test("what only doctors have is not sent for anybody else", () => {
  const draft = { ...draftOf(ANN), role: "user" as const, specialization: "Surgery" };
  assert.deepEqual(changesTo(ANN, draft), { role: "user" });
  assert.deepEqual(newUser({ ...draft, password: "Lantern-77" }), {
    email: "ann.lee@example.com",
    username: "ann.lee",
    first_name: "Ann",
    last_name: "Lee",
    role: "user",
    password: "Lantern-77",
  });
});

test("who becomes a doctor has what the form shows, even if they were one before with something else", () => {
  assert.deepEqual(changesTo(UNA, { ...draftOf(UNA), role: "doctor", specialization: "Surgery" }), {
    role: "doctor",
    specialization: "Surgery",
    consultation_hours: "",
  });
});

test("a new user is sent with what was entered only: the server knows what to take for the rest", () => {
  const draft = { ...draftOf(null), email: " new@example.com ", password: " spaces count ", specialization: "Surgery" };
  assert.deepEqual(newUser(draft), {
    email: "new@example.com",
    role: "doctor",
    password: " spaces count ",
    specialization: "Surgery",
  });
  // So that the server, which knows the rules, says what is missing.
  assert.deepEqual(newUser(draftOf(null)), { email: "", role: "doctor", password: "" });
});

test("somebody without a name is called by email", () => {
  assert.equal(nameOf(ANN), "Ann Lee");
  assert.equal(nameOf({ ...ANN, first_name: "" }), "Lee");
  assert.equal(nameOf({ ...ANN, first_name: " ", last_name: "" }), "ann.lee@example.com");
});

test("a page follows another, nobody is listed twice, and the later answer counts", () => {
  const renamed = { ...ANN, last_name: "Ray" };
  assert.deepEqual(withPage([], [ANN, UNA]), [ANN, UNA]);
  assert.deepEqual(withPage([ANN], [renamed, UNA]), [renamed, UNA]);
});
