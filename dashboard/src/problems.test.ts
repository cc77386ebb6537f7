import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "./api.ts";
import { Mistake, problemsOf } from "./problems.ts";

const FIELDS = ["email", "password"] as const;
const detail = "A sentence.";

test("a refusal of a field is told at that field", () => {
  for (const field of FIELDS) {
    const refusals: [number, string][] = [
      [400, "invalid_request"],
      [409, "conflict"],
    ];
    for (const [status, code] of refusals) {
      assert.deepEqual(problemsOf(new ApiError(status, { detail, code, field }), FIELDS), { [field]: detail });
    }
    assert.deepEqual(problemsOf(new Mistake(field, detail), FIELDS), { [field]: detail });
  }
});

test("anything else is told above the fields, a refusal of a field that the form does not show too", () => {
  for (const error of [
    new ApiError(429, { detail, code: "throttled" }),
    new ApiError(400, { detail, code: "invalid_request", field: "hospital_id" }),
    new ApiError(0, { detail, code: "unreachable" }),
    new Error(detail),
    detail,
  ]) {
    assert.deepEqual(problemsOf(error, FIELDS), { form: detail });
  }
  assert.deepEqual(problemsOf(new ApiError(400, { detail, code: "invalid_request", field: "email" }), []), {
    form: detail,
  });
});
