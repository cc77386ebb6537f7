// What the dashboard takes: a hospital of 500 doctors, and a burst of 200 events in 2 s, live and all at once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import {
  BIG_ADMIN,
  client,
  connected,
  keepScreenshot,
  launch,
  ROLLCALL_URL,
  signIn,
  visit,
} from "../browser.ts";
import type { User } from "../../../dashboard/src/wire.ts";
import { wireTo } from "../cut-wire.ts";

const DOCTORS = 500;
const EVENTS = 200;
const WITHIN_MS = 2_000;
const LONGEST_FRAME_MS = 100;
/** The machine may be busy with something else: one try without a long frame shows that the page needs none. */
const TRIES = 3;

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** The ids of the hospital's doctors; none of them is on duty any more. */
async function doctorsOffDuty(): Promise<number[]> {
  const admin = await client(BIG_ADMIN);
  const { results } = await admin<{ results: User[] }>("/api/users/?role=doctor&limit=1000");
  assert.equal(results.length, DOCTORS);
  const live = results.filter(({ is_live }) => is_live).map(({ id }) => id);
  await burst(live, "/api/users/logout-status/", 0);
  return results.map(({ id }) => id);
}

/** Logs `ids` in or out, one call every `everyMs`, whether or not the last has been answered. How long it took. */
async function burst(ids: readonly number[], path: string, everyMs: number): Promise<number> {
  const admin = await client(BIG_ADMIN);
  const start = performance.now();
  await Promise.all(
    ids.map(async (doctor_id, index) => {
      await new Promise((resolve) => setTimeout(resolve, index * everyMs));
      await admin(path, { doctor_id });
    }),
  );
  return performance.now() - start;
}

/** Begins to measure the time between frames. */
async function watchFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const frames: number[] = [];
    let last = performance.now();
    const frame = (now: number): void => {
      frames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    Object.assign(globalThis, { frames });
  });
}

/** How many frames there were, and how long the longest took, since it was asked last. */
async function framesOf(page: Page): Promise<{ count: number; longest: number }> {
  const frames = await page.evaluate(() => (globalThis as unknown as { frames: number[] }).frames.splice(0));
  return { count: frames.length, longest: Math.max(...frames) };
}

const onDuty = (page: Page, count: number) =>
  page.waitForFunction((count) => document.querySelector("dl dd")?.textContent === String(count), count);

const promise = `takes ${EVENTS} events in ${WITHIN_MS} ms without a frame over ${LONGEST_FRAME_MS} ms`;
test(`a dashboard of ${DOCTORS} doctors ${promise}`, async (t) => {
  const ids = (await doctorsOffDuty()).slice(0, EVENTS);
  await using wire = await wireTo(ROLLCALL_URL);
  await using admin = await visit(browser, "/", { origin: wire.url, viewport: { width: 1920, height: 1080 } });
  const { page } = admin;
  await signIn(page, BIG_ADMIN);
  await connected(page);
  await onDuty(page, 0);
  await watchFrames(page);

  const measured: Record<string, number[]> = { live: [], "at once": [] };
  for (let n = 0; n < TRIES; n += 1) {
    await framesOf(page);
    const took = await burst(ids, "/api/users/login-status/", WITHIN_MS / EVENTS);
    await onDuty(page, EVENTS);
    const live = await framesOf(page);
    measured.live?.push(live.longest);
    t.diagnostic(
      `live: ${EVENTS} events in ${took.toFixed()} ms, ${live.count} frames, the longest ${live.longest.toFixed()} ms`,
    );
    if (n === 0) await keepScreenshot(page, "board-of-500");

    wire.cut();
    await page.getByText("Reconnecting…").waitFor();
    await burst(ids, "/api/users/logout-status/", 0);
    await framesOf(page);
    wire.mend();
    await onDuty(page, 0);
    await page.getByRole("heading", { name: `${EVENTS} changes while you were away` }).waitFor();
    const back = await framesOf(page);
    measured["at once"]?.push(back.longest);
    t.diagnostic(`at once: ${EVENTS} events, ${back.count} frames, the longest ${back.longest.toFixed()} ms`);
    await page.getByRole("button", { name: "Got it" }).click();
    if (Object.values(measured).every((longest) => Math.min(...longest) <= LONGEST_FRAME_MS)) break;
  }
  for (const [how, longest] of Object.entries(measured)) {
    assert.ok(Math.min(...longest) <= LONGEST_FRAME_MS, `${how}: frames of ${longest.join(", ")} ms`);
  }
});
