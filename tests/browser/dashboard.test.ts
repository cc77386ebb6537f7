import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { assertLooksRight } from "./accessible.ts";
import {
  ADMIN,
  ANN,
  BOB,
  client,
  connected,
  keepScreenshot,
  launch,
  ROLLCALL_URL,
  signIn,
  USER,
  visit,
} from "./browser.ts";
import { wireTo } from "./cut-wire.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const box = (page: Page) => page.getByRole("region", { name: "Doctor Login/Logout Notifications" });
const entries = (page: Page) => box(page).getByRole("listitem");
const popUps = (page: Page) => page.getByRole("log").locator(".alert");
const rowOf = (page: Page, doctor: string) =>
  page.getByRole("region", { name: "Doctors" }).getByRole("row").filter({ hasText: doctor });

async function assertBadgeCountsEntries(page: Page): Promise<void> {
  assert.equal(await box(page).locator(".badge").textContent(), String(await entries(page).count()));
}

test("a dashboard sees a doctor come, become available and go, the moment it happens", async () => {
  const ann = await client(ANN);
  await ann("/api/users/logout-status/", {});
  await using admin = await visit(browser, "/");
  await signIn(admin.page, ADMIN);
  await connected(admin.page);
  await rowOf(admin.page, "Dr. Ann Lee").getByText("Off duty").waitFor();

  await using doctor = await visit(browser, "/doctor");
  await signIn(doctor.page, ANN);
  await doctor.page.getByText("On duty", { exact: true }).waitFor();
  await connected(doctor.page);

  const popUp = popUps(admin.page).filter({ hasText: /Dr\. Ann Lee logged in at \d/ });
  assert.match((await popUp.getAttribute("class")) ?? "", /alert-success/);
  await keepScreenshot(admin.page, "dashboard-pop-up");
  const cameIn = entries(admin.page).first();
  assert.match((await cameIn.textContent()) ?? "", /Dr\. Ann Lee logged in/);
  assert.match((await cameIn.getAttribute("class")) ?? "", /alert-success/);
  await assertBadgeCountsEntries(admin.page);
  await rowOf(admin.page, "Dr. Ann Lee").getByText("On duty").waitFor();

  const available = doctor.page.getByRole("switch", { name: "Available for consultation" });
  const before = (await available.getAttribute("aria-checked")) === "true";
  for (const next of [!before, before]) {
    await available.click();
    await rowOf(admin.page, "Dr. Ann Lee").getByText(next ? "Available" : "Busy", { exact: true }).waitFor();
    await doctor.page.getByRole("switch", { checked: next }).waitFor();
  }
  await keepScreenshot(doctor.page, "doctor-on-duty");

  await doctor.page.reload();
  await doctor.page.getByText("On duty", { exact: true }).waitFor();

  await doctor.page.getByRole("button", { name: "Sign out" }).click();
  await doctor.page.getByText("You are signed out.").waitFor();
  const wentOut = entries(admin.page).first().and(admin.page.locator(".alert-warning"));
  await wentOut.filter({ hasText: "Dr. Ann Lee logged out" }).waitFor();
  await rowOf(admin.page, "Dr. Ann Lee").getByText("Off duty").waitFor();
  await assertBadgeCountsEntries(admin.page);

  assert.deepEqual(admin.problems, []);
  assert.deepEqual(doctor.problems, []);
});

test("a test notification pops up, and leaves after 5 seconds or when it is closed", async () => {
  await using admin = await visit(browser, "/");
  await signIn(admin.page, ADMIN);
  await connected(admin.page);
  const button = admin.page.getByRole("button", { name: "Test Notification" });
  const popUp = popUps(admin.page).filter({ hasText: "Dr. Test Doctor logged in at" });

  const clicked = Date.now();
  await button.click();
  await popUp.waitFor();
  assert.match((await entries(admin.page).first().textContent()) ?? "", /Dr\. Test Doctor logged in/);
  await assertBadgeCountsEntries(admin.page);
  await popUp.waitFor({ state: "detached" });
  const stayed = Date.now() - clicked;
  assert.ok(stayed >= 5_000 && stayed < 10_000, `it stayed ${stayed} ms`);

  await button.click();
  await popUp.getByRole("button", { name: "Close" }).click();
  await popUp.waitFor({ state: "detached", timeout: 2_000 });
  assert.deepEqual(admin.problems, []);
});

test("a dashboard that lost its connection gets what it missed, in order and once", async () => {
  const bob = await client(BOB);
  await bob("/api/users/logout-status/", {});
  await using wire = await wireTo(ROLLCALL_URL);
  await using admin = await visit(browser, "/", { origin: wire.url });
  await signIn(admin.page, ADMIN);
  await connected(admin.page);

  wire.cut();
  await admin.page.getByText("Reconnecting…").waitFor();
  await bob("/api/users/login-status/", {});
  await bob("/api/users/logout-status/", {});
  await bob("/api/users/login-status/", {});
  await admin.page.getByText(/Attempt \d+ in \d+ s/).waitFor();
  await keepScreenshot(admin.page, "dashboard-reconnecting");
  wire.mend();
  // Pressing it is of use only while it waits.
  await Promise.any([admin.page.getByRole("button", { name: "Try now" }).click(), connected(admin.page)]);
  await connected(admin.page);
  const missed = admin.page.getByRole("region", { name: "3 changes while you were away" });
  await missed.waitFor();
  assert.deepEqual(
    (await missed.getByRole("listitem").allTextContents()).map((text) => /Dr\. .* logged \w+/.exec(text)?.[0]),
    ["Dr. Bob Ray logged in", "Dr. Bob Ray logged out", "Dr. Bob Ray logged in"],
  );
  await assertLooksRight(admin.page, "board-missed");
  assert.equal(await popUps(admin.page).count(), 0, "they would cover the list");
  await missed.getByRole("button", { name: "Got it" }).click();
  await missed.waitFor({ state: "detached" });
  await rowOf(admin.page, "Dr. Bob Ray").getByText("On duty").waitFor();
  await bob("/api/users/logout-status/", {});

  await entries(admin.page).first().filter({ hasText: "Dr. Bob Ray logged out" }).waitFor();
  const actions = await entries(admin.page).locator("div > div").allTextContents();
  assert.deepEqual(
    actions.slice(0, 4).map((text) => text.trim().replace(/\s+/g, " ")),
    ["Dr. Bob Ray logged out", "Dr. Bob Ray logged in", "Dr. Bob Ray logged out", "Dr. Bob Ray logged in"],
  );
  const unexpected = admin.problems.filter((problem) => !/WebSocket|net::ERR_/.test(problem));
  assert.deepEqual(unexpected, []);
});

test("a dashboard whose session ends asks to sign in again", async () => {
  await using admin = await visit(browser, "/");
  await signIn(admin.page, ADMIN);
  await connected(admin.page);
  const answer = await admin.page.request.post(new URL("/api/users/logout/", ROLLCALL_URL).href, {
    headers: { Origin: ROLLCALL_URL.origin },
  });
  assert.equal(answer.status(), 204);
  await admin.page.getByText("Signed out: your session has ended.").waitFor();
  await admin.page.getByLabel("Password").waitFor();
  assert.deepEqual(admin.problems, []);
});

test("the administrators' page tells everybody else where to go", async () => {
  await using user = await visit(browser, "/");
  await signIn(user.page, USER);
  await user.page.getByText("This page is for administrators.").waitFor();
  await user.page.getByRole("button", { name: "Sign out" }).click();
  await user.page.getByText("You are signed out.").waitFor();

  await signIn(user.page, ANN);
  await user.page.getByRole("link", { name: "Go to the doctors' page" }).click();
  await user.page.getByRole("button", { name: "Go on duty" }).waitFor();
  assert.deepEqual(user.problems, []);
});

test("a wrong password is refused in words", async () => {
  await using visitor = await visit(browser, "/");
  await visitor.page.getByLabel("Email or username").fill("nobody@example.com");
  await visitor.page.getByLabel("Password").fill("wrong");
  await visitor.page.getByRole("button", { name: "Sign in" }).click();
  await visitor.page.getByRole("alert").waitFor();
  await visitor.page.getByLabel("Password").waitFor();
  assert.equal(visitor.problems.length, 1, "the 401 that Chromium logs");
});
