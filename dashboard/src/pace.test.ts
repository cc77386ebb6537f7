import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { INTERVAL_MS, Pace, SPACING_MS } from "./pace.ts";

interface Reads {
  pace: Pace;
  /** When it read, in milliseconds since the test began. */
  at: number[];
  /** Lets time pass, and all that follows from it happen. */
  pass: (milliseconds: number) => Promise<void>;
}

/** Every read takes `duration`. */
function reads(t: TestContext, duration = 0): Reads {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const at: number[] = [];
  const pace = new Pace(() => {
    at.push(Date.now());
    return duration > 0 ? new Promise((resolve) => setTimeout(resolve, duration)) : Promise.resolve();
  });
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  const pass = async (milliseconds: number): Promise<void> => {
    await settled();
    for (let passed = 0; passed < milliseconds; passed += 100) {
      t.mock.timers.tick(100);
      await settled();
    }
  };
  return { pace, at, pass };
}

test("it reads once when it is seen, and then from time to time", async (t) => {
  const { pace, at, pass } = reads(t);
  await pass(5_000);
  assert.deepEqual(at, []);
  pace.see(true);
  await pass(2 * INTERVAL_MS);
  assert.deepEqual(at, [5_100, 5_100 + INTERVAL_MS]);
});

test("it reads as soon as something changes, but a burst of changes once in a while only", async (t) => {
  const { pace, at, pass } = reads(t);
  pace.see(true);
  await pass(10_000);
  assert.equal(at.length, 1);
  for (let i = 0; i < 50; i++) {
    pace.change();
    await pass(100);
  }
  await pass(10_000);
  const [, ...burst] = at;
  assert.equal(burst[0], 10_100);
  assert.ok(burst.length <= 2 + 5_000 / SPACING_MS, `${burst.length} reads`);
  burst.reduce((last, next) => {
    assert.ok(next - last >= SPACING_MS);
    return next;
  });
  assert.ok((burst.at(-1) ?? 0) >= 14_900, "the last change is followed too");
});

test("it reads nothing while nobody looks, and what changed meanwhile when somebody does", async (t) => {
  const { pace, at, pass } = reads(t);
  pace.see(true);
  await pass(1_000);
  pace.see(false);
  pace.change();
  await pass(10 * INTERVAL_MS);
  assert.equal(at.length, 1);
  pace.see(true);
  await pass(100);
  assert.equal(at.length, 2);
});

test("looking away and back reads nothing new by itself", async (t) => {
  const { pace, at, pass } = reads(t);
  pace.see(true);
  await pass(1_000);
  pace.see(false);
  await pass(1_000);
  pace.see(true);
  await pass(INTERVAL_MS / 2);
  assert.equal(at.length, 1);
});

test("a change during a read is followed by another one, and two reads never overlap", async (t) => {
  const { pace, at, pass } = reads(t, 5_000);
  pace.see(true);
  await pass(1_000);
  pace.change();
  void pace.readNow();
  await pass(3_000);
  assert.equal(at.length, 1);
  await pass(3_000);
  assert.equal(at.length, 2);
  await pass(INTERVAL_MS / 2);
  assert.equal(at.length, 2, "and that one answered both");
});

test("a person need not wait", async (t) => {
  const { pace, at, pass } = reads(t);
  pace.see(true);
  await pass(500);
  void pace.readNow();
  await pass(100);
  assert.equal(at.length, 2);
});
