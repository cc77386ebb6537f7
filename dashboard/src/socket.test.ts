import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, mayReconnect } from "./socket.ts";

test("the bound doubles with every try, up to 30 seconds", () => {
  const almostOne = 1 - Number.EPSILON;
  const bounds = [1, 2, 3, 4, 5, 6, 7, 1000].map((attempt) => Math.round(backoff(attempt, almostOne)));
  assert.deepEqual(bounds, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("the whole range below the bound is used", () => {
  assert.equal(backoff(5, 0), 0);
  assert.equal(backoff(5, 0.5), 8_000);
});

test("accidents are survived, decisions are respected", () => {
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 4008]) assert.ok(mayReconnect(code), `${code}`);
  for (const code of [1000, 1003, 1008, 1009, 4000, 4001, 4002, 4003, 4004]) assert.ok(!mayReconnect(code), `${code}`);
});
