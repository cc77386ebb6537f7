import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ApiError, changePassword, isAboutSession, isNotSignedIn } from "./api.ts";

/** Answers every call with `status` and `body`, and returns what was asked. */
function answer(t: TestContext, status: number, body: object): { path: string; body: unknown }[] {
  const asked: { path: string; body: unknown }[] = [];
  t.mock.method(globalThis, "fetch", (path: string, init: RequestInit) => {
    asked.push({ path, body: JSON.parse(String(init.body)) });
    return Promise.resolve(Response.json(body, { status }));
  });
  return asked;
}

test("a new password is sent with the current one", async (t) => {
  const asked = answer(t, 200, {});
  await changePassword("old", "new");
  assert.deepEqual(asked, [{ path: "/api/users/password/", body: { current_password: "old", new_password: "new" } }]);
});

test("no session and a password to change are about the session, other refusals are not", () => {
  const [ended, forced, forbidden] = [
    [401, "not_authenticated"],
    [403, "password_change_required"],
    [403, "forbidden"],
  ].map(([status, code]) => new ApiError(Number(status), { detail: "", code: String(code) }));
  assert.ok(isAboutSession(ended) && isNotSignedIn(ended));
  assert.ok(isAboutSession(forced) && !isNotSignedIn(forced));
  assert.ok(!isAboutSession(forbidden));
});
