import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import {
  ADMIN,
  client,
  connected,
  idOf,
  justBeforeMidnight,
  keepScreenshot,
  launch,
  newDoctor,
  NORTH_ADMIN,
  NORTH_DANA,
  signIn,
  visit,
} from "./browser.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const roster = (page: Page) => page.getByRole("region", { name: "Doctors" });
const rows = (page: Page) => roster(page).getByRole("row").filter({ has: page.getByRole("rowheader") });
const names = async (page: Page) =>
  rows(page)
    .getByRole("rowheader")
    .evaluateAll((headers) => headers.map((header) => header.firstChild?.textContent?.trim()));

/** Two doctors whom no other test knows, of a specialization of their own, which is also their last name. */
async function twoDoctors() {
  const field = `Field${randomUUID().slice(0, 8)}`;
  const rest = { last_name: field, specialization: field, consultation_hours: "10:00-12:00" };
  const zora = await newDoctor({ ...rest, first_name: "Zora" });
  const yuri = await newDoctor({ ...rest, first_name: "Yuri" });
  return { field, zora, yuri };
}

async function openBoard(page: Page, email = ADMIN): Promise<void> {
  await signIn(page, email);
  await connected(page);
  await roster(page).waitFor();
}

test("the doctors can be searched, filtered and sorted, with the keyboard alone", async () => {
  const admin = await client(ADMIN);
  const { field, zora } = await twoDoctors();
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  await openBoard(page);

  await page.getByLabel("Search").focus();
  await page.keyboard.type(field.toLowerCase());
  await roster(page).getByText(/^2 of \d+ doctors$/).waitFor();
  assert.deepEqual(await names(page), [`Dr. Yuri ${field}`, `Dr. Zora ${field}`]);

  await admin("/api/users/login-status/", { doctor_id: zora.id });
  await rows(page).filter({ hasText: "Zora" }).getByText("On duty").waitFor();
  assert.deepEqual(await names(page), [`Dr. Zora ${field}`, `Dr. Yuri ${field}`], "who is there comes first");

  await page.getByRole("button", { name: "Name" }).focus();
  await page.keyboard.press("Enter");
  assert.deepEqual(await names(page), [`Dr. Yuri ${field}`, `Dr. Zora ${field}`]);
  await page.keyboard.press("Enter");
  assert.deepEqual(await names(page), [`Dr. Zora ${field}`, `Dr. Yuri ${field}`]);
  assert.equal(await roster(page).getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort"), "descending");

  await page.getByLabel("Search").fill("");
  await roster(page).getByLabel("Specialization").selectOption(field);
  await roster(page).getByLabel("State").selectOption("Busy");
  await roster(page).getByText(/^1 of/).waitFor();
  assert.deepEqual(await names(page), [`Dr. Zora ${field}`]);
  await admin("/api/users/availability-status/", { doctor_id: zora.id, is_available_for_consultation: true });
  await roster(page).getByText("No doctor matches.").waitFor();
  await roster(page).getByRole("button", { name: "Show all" }).click();
  await roster(page).getByText(/^(\d+) of \1 doctors$/).waitFor();
  await admin("/api/users/logout-status/", { doctor_id: zora.id });
  assert.deepEqual(problems, []);
});

test("the four numbers follow what happens", async () => {
  const admin = await client(ADMIN);
  const { field, zora } = await twoDoctors();
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  await openBoard(page);
  const number = async (label: string): Promise<number> => {
    const card = page.locator("dl > div").filter({ has: page.getByText(label, { exact: true }) });
    await card.locator("dd").filter({ hasText: /^\d+$/ }).waitFor();
    return Number(await card.locator("dd").textContent());
  };
  const labels = ["On duty", "Available now", "Connected people", "Events today"] as const;
  const before = await Promise.all(labels.map(number));

  await admin("/api/users/login-status/", { doctor_id: zora.id });
  await admin("/api/users/availability-status/", { doctor_id: zora.id, is_available_for_consultation: true });
  await using doctor = await visit(browser, "/doctor");
  await signIn(doctor.page, zora.email, zora.password);
  await connected(doctor.page);
  await rows(page).filter({ hasText: `Zora ${field}` }).getByText("Available").waitFor();
  const expected = [1, 1, 1, 2].map((more, index) => (before[index] ?? 0) + more);
  await page.waitForFunction(
    (expected) => [...document.querySelectorAll("dl dd")].map((dd) => dd.textContent).join() === expected,
    expected.join(),
  );
  await doctor.page.getByRole("button", { name: "Sign out" }).click();
  await doctor.page.getByText("You are signed out.").waitFor();
  assert.deepEqual(problems, []);
});

test("the title counts what nobody has seen, also after the page was reloaded", async () => {
  const admin = await client(ADMIN);
  const { zora } = await twoDoctors();
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  await openBoard(page);
  const titleIs = (title: string) => page.waitForFunction((title) => document.title === title, title);
  await titleIs("Rollcall");

  await admin("/api/users/login-status/", { doctor_id: zora.id });
  await admin("/api/users/logout-status/", { doctor_id: zora.id });
  await titleIs("(2) Rollcall");
  await page.reload();
  await titleIs("(2) Rollcall");
  await admin("/api/users/login-status/", { doctor_id: zora.id });
  await titleIs("(3) Rollcall");

  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.waitForFunction(() => document.title === "(3) Rollcall");
  await other.keyboard.press("Shift");
  await other.waitForFunction(() => document.title === "Rollcall");
  await titleIs("Rollcall");
  await admin("/api/users/logout-status/", { doctor_id: zora.id });
  await titleIs("(1) Rollcall");
  assert.deepEqual(problems, []);
});

test("times are those of the hospital, in the reader's own way of writing them", async () => {
  const [admin, dana] = [await client(NORTH_ADMIN), await idOf(NORTH_DANA)];
  await admin("/api/users/logout-status/", { doctor_id: dana });
  const { seq } = await admin<{ seq: number }>("/api/users/login-status/", { doctor_id: dana });
  assert.ok(seq > 0);
  await using visitor = await visit(browser, "/", { timezoneId: "Asia/Tokyo", locale: "de-DE" });
  const { page, problems } = visitor;
  await openBoard(page, NORTH_ADMIN);

  const since = rows(page).filter({ hasText: "Dana Fox" }).locator("time");
  const moment = new Date((await since.getAttribute("datetime")) ?? "");
  const inHospital = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat("de-DE", { timeZone: "America/New_York", ...options }).format(moment);
  assert.equal(await since.textContent(), inHospital({ timeStyle: "short" }));
  const entry = page.getByRole("region", { name: "Doctor Login/Logout Notifications" }).getByRole("listitem").first();
  assert.equal(await entry.locator("time").textContent(), inHospital({ dateStyle: "medium", timeStyle: "medium" }));
  await page.getByText("Times are the hospital's: America/New York.").waitFor();
  await admin("/api/users/logout-status/", { doctor_id: dana });
  assert.deepEqual(problems, []);
});

test("the timeline shows who was there, from when until when", async () => {
  const admin = await client(ADMIN);
  const { field, zora, yuri } = await twoDoctors();
  await admin("/api/users/login-status/", { doctor_id: zora.id });
  await admin("/api/users/logout-status/", { doctor_id: zora.id });
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  await openBoard(page);
  const timeline = page.getByRole("region", { name: "On duty today" });
  const row = (name: string) => timeline.getByRole("listitem").filter({ hasText: `Dr. ${name} ${field}` });
  await row("Zora").getByText(/^\d\d:\d\d to \d\d:\d\d$/).waitFor();
  assert.equal(await row("Yuri").count(), 0);
  await admin("/api/users/login-status/", { doctor_id: yuri.id });
  await row("Yuri").getByText(/^\d\d:\d\d until now$/).waitFor();
  await admin("/api/users/logout-status/", { doctor_id: yuri.id });
  await row("Yuri").getByText(/^\d\d:\d\d to \d\d:\d\d$/).waitFor();
  assert.deepEqual(problems, []);
});

test("today's events that cannot be read are asked for again", async () => {
  await using visitor = await visit(browser, "/");
  const { page } = visitor;
  await page.route("**/api/events/**", (route) => route.abort());
  await signIn(page, ADMIN);
  const timeline = page.getByRole("region", { name: "On duty today" });
  await timeline.getByRole("alert").getByText("Today's events could not be read.").waitFor();
  await page.unroute("**/api/events/**");
  await timeline.getByRole("button", { name: "Try again" }).click();
  await timeline.getByRole("alert").waitFor({ state: "detached" });
});

test("desktop notifications and sound are off until asked for, and stay on", async () => {
  const admin = await client(ADMIN);
  const { field, zora } = await twoDoctors();
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  // Chromium without a window shows none; what it was asked to show is what matters.
  await page.addInitScript(() => {
    const shown: string[] = [];
    class Shown {
      static permission = localStorage.getItem("permission") ?? "default";
      static requestPermission(): Promise<string> {
        localStorage.setItem("permission", "granted");
        return Promise.resolve((Shown.permission = "granted"));
      }
      constructor(title: string, { body }: { body: string }) {
        shown.push(`${title} ${body}`);
      }
      close(): void {}
    }
    const sounds: string[] = [];
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when) {
      sounds.push("played");
      start.call(this, when);
    };
    Object.assign(globalThis, { Notification: Shown, shown, sounds });
    // As if another window were in front.
    document.hasFocus = () => false;
  });
  await page.reload();
  await openBoard(page);
  const told = (list: "shown" | "sounds"): Promise<string[]> =>
    page.evaluate((list) => (globalThis as unknown as Record<string, string[]>)[list] ?? [], list);
  const desktop = page.getByRole("switch", { name: "Desktop notifications" });
  const sound = page.getByRole("switch", { name: "Sound" });
  assert.deepEqual([await desktop.isChecked(), await sound.isChecked()], [false, false]);
  await admin("/api/users/login-status/", { doctor_id: zora.id });
  await rows(page).filter({ hasText: `Zora ${field}` }).getByText("On duty").waitFor();
  assert.deepEqual([await told("shown"), await told("sounds")], [[], []]);

  await desktop.check();
  await sound.check();
  await page.reload();
  await connected(page);
  assert.deepEqual([await desktop.isChecked(), await sound.isChecked()], [true, true]);
  // Browsers play nothing on a page that nobody has touched.
  await page.keyboard.press("Shift");
  await admin("/api/users/logout-status/", { doctor_id: zora.id });
  await page.waitForFunction(() => (globalThis as unknown as { shown: string[] }).shown.length > 0);
  const [first = ""] = await told("shown");
  assert.match(first.replace(field, "…"), /^Dr\. Zora … logged out at \d\d:\d\d:\d\d \(by an administrator\)$/);
  assert.ok((await told("sounds")).length > 0);
  assert.deepEqual(problems, []);
});

test("a browser that refuses notifications is told about, and the switch stays off", async () => {
  await using visitor = await visit(browser, "/", { permissions: [] });
  const { page } = visitor;
  await openBoard(page);
  await page.evaluate(() => (Notification.requestPermission = () => Promise.resolve("denied" as const)));
  const desktop = page.getByRole("switch", { name: "Desktop notifications" });
  await desktop.click();
  await page.getByRole("alert").getByText("This browser does not allow notifications").waitFor();
  assert.equal(await desktop.isChecked(), false);
});

test("the wall screen shows who is on duty, and its pages turn unless they are held", async () => {
  const admin = await client(ADMIN);
  const [some, others] = [await twoDoctors(), await twoDoctors()];
  const doctors = [some.zora, some.yuri, others.zora, others.yuri];
  for (const { id } of doctors) await admin("/api/users/login-status/", { doctor_id: id });
  await using visitor = await visit(browser, "/", { viewport: { width: 1920, height: 1080 } });
  const { page, problems } = visitor;
  await signIn(page, ADMIN);
  await page.getByRole("link", { name: "Wall screen" }).click();
  const names = page.locator(".name").filter({ hasText: new RegExp(`${some.field}|${others.field}`) });
  await page.waitForFunction(() => document.querySelectorAll(".name").length >= 4);
  assert.equal(await names.count(), 4);
  const size = await names.first().evaluate((name) => Number.parseFloat(getComputedStyle(name).fontSize));
  assert.ok(size >= 40, `${size} px`);
  await keepScreenshot(page, "wall-on-duty");

  // Room for two of them.
  await page.setViewportSize({ width: 700, height: 260 });
  await page.getByText("Page 1 of").waitFor();
  await page.getByRole("button", { name: "Hold this page" }).click();
  await page.getByRole("button", { name: "Turn pages" }).click();
  await page.getByText("Page 2 of").waitFor({ timeout: 15_000 });
  for (const { id } of doctors) await admin("/api/users/logout-status/", { doctor_id: id });
  await page.getByRole("link", { name: "Back to the board" }).click();
  await roster(page).waitFor();
  assert.deepEqual(problems, []);
});

test("at midnight a new day begins, and nothing of the last one stands in its way", async () => {
  const admin = await client(ADMIN);
  const { field, zora } = await twoDoctors();
  for (const way of ["login", "logout", "login", "logout"]) {
    await admin(`/api/users/${way}-status/`, { doctor_id: zora.id });
  }
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  await justBeforeMidnight(page);
  await openBoard(page);
  const timeline = page.getByRole("region", { name: "On duty today" });
  await timeline.getByText(`Dr. Zora ${field}`).waitFor();

  // The new day is there before the next look at the clock, with the first message of it.
  await page.clock.fastForward(21_000);
  await admin("/api/users/login-status/", { doctor_id: zora.id });
  await rows(page).filter({ hasText: `Zora ${field}` }).getByText("On duty").waitFor();
  await page.clock.fastForward(30_000);
  await page.getByRole("link", { name: "History" }).click();
  await page.getByRole("link", { name: "Board" }).click();
  const eventsToday = page.locator("dl > div").filter({ hasText: "Events today" }).locator("dd");
  assert.equal(await eventsToday.textContent(), "0", "all of them are yesterday's by this page's clock");
  assert.equal(await timeline.getByText(/ to /).count(), 0);
  await admin("/api/users/logout-status/", { doctor_id: zora.id });
  await page.clock.fastForward(1_000);
  await rows(page).filter({ hasText: `Zora ${field}` }).getByText("Off duty").waitFor();
  assert.deepEqual(problems, []);
});
