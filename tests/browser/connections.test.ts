import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { assertLooksRight } from "./accessible.ts";
import {
  ADMIN,
  connected,
  keepScreenshot,
  launch,
  newDoctor,
  NORTH_ADMIN,
  signIn,
  visit,
  type Visit,
} from "./browser.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const LIST = "**/api/hms/active-connections";

const list = (page: Page) => page.getByRole("table", { name: "Active connections" });
const rowOf = (page: Page, email: string) => list(page).getByRole("row").filter({ hasText: email });
const dialog = (page: Page) => page.getByRole("dialog");
const said = (page: Page, text: string) => page.getByRole("status").filter({ hasText: text });

async function openConnections(page: Page, email = ADMIN): Promise<void> {
  await signIn(page, email);
  await connected(page);
  await page.getByRole("link", { name: "Connections" }).click();
}

async function ask(page: Page, email: string): Promise<void> {
  await page.getByRole("button", { name: `Disconnect ${email}` }).click();
}

const confirm = (page: Page): Promise<void> => dialog(page).getByRole("button", { name: "Disconnect" }).click();

const someDoctor = (): ReturnType<typeof newDoctor> =>
  newDoctor({ first_name: "Tabea", last_name: "Tabs", specialization: "Surgery", consultation_hours: "" });

/** A new doctor's page, connected. */
async function doctorsPage(): Promise<{ doctor: Visit; email: string }> {
  const { email, password } = await someDoctor();
  const doctor = await visit(browser, "/doctor");
  await signIn(doctor.page, email, password);
  await connected(doctor.page);
  return { doctor, email };
}

/** Every failed request that Chromium logs, and nothing else. */
function assertOnly(problems: readonly string[], status: RegExp): void {
  assert.ok(problems.length > 0 && problems.every((problem) => status.test(problem)), problems.join("\n"));
}

test("who is connected is listed once, with the number of tabs, and closing them reaches each", async () => {
  await using admin = await visit(browser, "/");
  await openConnections(admin.page);
  const { doctor, email } = await doctorsPage();
  await using _ = doctor;
  const second = await doctor.page.context().newPage();
  await second.goto(doctor.page.url());
  await connected(second);

  const row = rowOf(admin.page, email);
  await row.getByRole("cell", { name: "2", exact: true }).waitFor();
  assert.equal(await row.count(), 1);
  assert.match((await row.textContent()) ?? "", /\d\d:\d\d\s+for under a minute.*just now/s);

  await ask(admin.page, email);
  await dialog(admin.page).getByText(`This closes 2 tabs of ${email}. They can connect again.`).waitFor();
  await keepScreenshot(admin.page, "connections-disconnect");
  await confirm(admin.page);
  for (const page of [doctor.page, second]) await page.getByText("An administrator closed the connection.").waitFor();
  await said(admin.page, `Closed 2 connections of ${email}.`).waitFor();
  await row.waitFor({ state: "detached" });
  await admin.page.locator("h2:focus").waitFor();

  await second.getByRole("button", { name: "Connect again" }).click();
  await row.getByRole("cell", { name: "1", exact: true }).waitFor();
  assert.deepEqual(admin.problems, []);
  assert.deepEqual(doctor.problems, []);
});

test("somebody who comes or goes is there or gone within seconds, without the list being read all the time", async () => {
  await using admin = await visit(browser, "/");
  await openConnections(admin.page);
  await list(admin.page).or(admin.page.getByText("Nobody is connected")).waitFor();
  const reads: number[] = [];
  admin.page.on("request", (request) => {
    if (request.url().endsWith("/active-connections")) reads.push(Date.now());
  });
  const began = Date.now();
  const { doctor, email } = await doctorsPage();
  await rowOf(admin.page, email).waitFor({ timeout: 5_000 });
  const pages = [];
  for (let i = 0; i < 4; i++) {
    const page = await doctor.page.context().newPage();
    await page.goto(doctor.page.url());
    await connected(page);
    pages.push(page);
  }
  await doctor[Symbol.asyncDispose]();
  await rowOf(admin.page, email).waitFor({ state: "detached", timeout: 5_000 });

  const most = 1 + (Date.now() - began) / 2_000;
  assert.ok(reads.length >= 2 && reads.length <= most, `${reads.length} reads, ${most} at most`);
  reads.reduce((last, next) => {
    assert.ok(next - last >= 1_900, `read again after ${next - last} ms`);
    return next;
  });
  assert.deepEqual(admin.problems, []);
});

test("without news the list is read every 30 seconds, and not at all while nobody sees it", async () => {
  await using admin = await visit(browser, "/");
  const { page } = admin;
  await signIn(page, NORTH_ADMIN);
  await connected(page);
  await page.clock.install();
  let reads = 0;
  page.on("request", (request) => (reads += request.url().endsWith("/active-connections") ? 1 : 0));
  const answer = page.waitForResponse(LIST);
  await page.getByRole("link", { name: "Connections" }).click();
  await answer;
  await page.getByText("0 people").waitFor();
  await page.clock.runFor(25_000);
  assert.equal(reads, 1);
  const next = page.waitForResponse(LIST);
  await page.clock.runFor(6_000);
  await next;
  assert.equal(reads, 2);

  const turn = (state: string) =>
    page.evaluate((state) => {
      Object.defineProperty(document, "hidden", { value: state === "hidden", configurable: true });
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  await turn("hidden");
  await page.clock.runFor(120_000);
  assert.equal(reads, 2);
  const again = page.waitForResponse(LIST);
  await turn("visible");
  await page.clock.runFor(100);
  await again;

  await page.getByRole("link", { name: "Users" }).click();
  await page.clock.runFor(120_000);
  assert.equal(reads, 3, "another view is shown");
});

test("disconnecting can be called off, and the keyboard is where it was", async () => {
  const { doctor, email } = await doctorsPage();
  await using _ = doctor;
  await using admin = await visit(browser, "/");
  await openConnections(admin.page);
  const button = admin.page.getByRole("button", { name: `Disconnect ${email}` });
  for (const callOff of [
    () => admin.page.keyboard.press("Escape"),
    () => dialog(admin.page).getByRole("button", { name: "Cancel" }).click(),
  ]) {
    await button.focus();
    await admin.page.keyboard.press("Enter");
    await dialog(admin.page).waitFor();
    assert.ok(await dialog(admin.page).evaluate((dialog) => dialog.contains(document.activeElement)));
    await callOff();
    await admin.page.locator("dialog").waitFor({ state: "detached" });
    await button.and(admin.page.locator(":focus")).waitFor();
  }
  await doctor.page.getByText("Connected", { exact: true }).waitFor();
  assert.deepEqual(admin.problems, []);
});

test("somebody who has gone meanwhile is no error", async () => {
  await using admin = await visit(browser, "/");
  await openConnections(admin.page);
  const { doctor, email } = await doctorsPage();
  await ask(admin.page, email);
  await doctor[Symbol.asyncDispose]();
  await rowOf(admin.page, email).waitFor({ state: "detached" });
  await confirm(admin.page);
  await said(admin.page, `${email} was not connected any more.`).waitFor();
  assert.equal(await admin.page.getByRole("alert").count(), 0);
  assert.deepEqual(admin.problems, []);

  const { doctor: another, email: unknown } = await doctorsPage();
  await using _ = another;
  await admin.page.route(`${LIST}/*`, (route) =>
    route.fulfill({ status: 404, json: { detail: "Not found.", code: "not_found" } }),
  );
  await ask(admin.page, unknown);
  await confirm(admin.page);
  await said(admin.page, `${unknown} was not connected any more.`).waitFor();
  assertOnly(admin.problems, /404/);
});

test("a refusal is told in the question, which can be answered again", async () => {
  const { doctor, email } = await doctorsPage();
  await using _ = doctor;
  await using admin = await visit(browser, "/");
  await openConnections(admin.page);
  const detail = "Service temporarily unavailable, try again later.";
  await admin.page.route(`${LIST}/*`, (route) => route.fulfill({ status: 503, json: { detail, code: "unavailable" } }));
  await ask(admin.page, email);
  await confirm(admin.page);
  await dialog(admin.page).getByRole("alert").filter({ hasText: detail }).waitFor();
  await admin.page.unroute(`${LIST}/*`);
  await confirm(admin.page);
  await said(admin.page, `Closed 1 connection of ${email}.`).waitFor();
  await doctor.page.getByText("An administrator closed the connection.").waitFor();
  assertOnly(admin.problems, /503/);
});

test("a list that cannot be read says so and can be tried again, and one that is there stays", async () => {
  const { doctor, email } = await doctorsPage();
  await using _ = doctor;
  await using admin = await visit(browser, "/");
  await admin.page.route(LIST, (route) => route.abort());
  await openConnections(admin.page);
  const alert = admin.page.getByRole("alert");
  await alert.filter({ hasText: "Who is connected could not be read." }).waitFor();
  await admin.page.unroute(LIST);
  await alert.getByRole("button", { name: "Try again" }).click();
  await rowOf(admin.page, email).waitFor();
  assert.equal(await alert.count(), 0);

  await admin.page.route(LIST, (route) => route.abort());
  const { doctor: another } = await doctorsPage();
  await using __ = another;
  await alert.filter({ hasText: "This list may be out of date." }).waitFor();
  await rowOf(admin.page, email).waitFor();
  await assertLooksRight(admin.page, "connections-out-of-date");
  assertOnly(admin.problems, /ERR_FAILED/);
});

test("where nobody is connected the list says what will be there", async () => {
  await using admin = await visit(browser, "/");
  await openConnections(admin.page, NORTH_ADMIN);
  await admin.page.getByText("Nobody is connected").waitFor();
  await admin.page.getByText("0 people").waitFor();
  await keepScreenshot(admin.page, "connections-none");
  assert.deepEqual(admin.problems, []);
});

test("a session that ended asks to sign in again", async () => {
  const { doctor, email } = await doctorsPage();
  await using _ = doctor;
  await using admin = await visit(browser, "/");
  await openConnections(admin.page);
  await ask(admin.page, email);
  // As when the cookie is gone: the live connection knows nothing of it.
  await admin.page.context().clearCookies();
  await confirm(admin.page);
  await admin.page.getByText("Signed out: your session has ended.").waitFor();
  assertOnly(admin.problems, /401/);
});

test("the connections and the question fit every window and can be used by everybody", async () => {
  const { doctor, email } = await doctorsPage();
  await using _ = doctor;
  await using admin = await visit(browser, "/");
  await openConnections(admin.page);
  await rowOf(admin.page, email).waitFor();
  await assertLooksRight(admin.page, "connections");
  await ask(admin.page, email);
  await assertLooksRight(admin.page, "connections-disconnect");
  assert.deepEqual(admin.problems, []);
});
