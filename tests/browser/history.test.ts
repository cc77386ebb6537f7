import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ADMIN, client, connected, justBeforeMidnight, keepScreenshot, launch, newDoctor, signIn, visit } from "./browser.ts";

/** More than two pages of the history. */
const EVENTS = 240;

let browser: Browser;
let busyBee: { id: number; name: string };
before(async () => {
  browser = await launch();
  const fields = { first_name: "Bea", specialization: "", consultation_hours: "" };
  const last_name = `Busy${Date.now()}`;
  const { id } = await newDoctor({ ...fields, last_name });
  busyBee = { id, name: `Dr. Bea ${last_name}` };
  const admin = await client(ADMIN);
  for (let n = 0; n < EVENTS; n += 1) {
    const path = n % 2 ? "/api/users/logout-status/" : "/api/users/login-status/";
    await admin(path, { doctor_id: id });
  }
});
after(() => browser.close());

const list = (page: Page) => page.getByRole("region", { name: "History" }).getByRole("listitem");

async function openHistory(page: Page): Promise<void> {
  await signIn(page, ADMIN);
  await connected(page);
  await page.getByRole("link", { name: "History" }).click();
  await list(page).first().waitFor();
}

test("the history reads on while one scrolls, newest first, to the very beginning", async () => {
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  const asked: string[] = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.searchParams.has("before")) asked.push(url.search);
  });
  await openHistory(page);
  await page.getByLabel("Doctor").selectOption(busyBee.name);
  await list(page).filter({ hasText: busyBee.name }).first().waitFor();
  asked.length = 0;
  await page.waitForFunction(() => document.querySelectorAll("li.list-group-item").length === 100);
  assert.deepEqual(asked, [], "what is out of sight is not read");

  await page.keyboard.press("End");
  await page.waitForFunction(() => document.querySelectorAll("li.list-group-item").length === 200);
  const beginning = page.getByText("This is the beginning.");
  // Scrolling is smooth: a key that is pressed on the way leads to where the end was.
  for (let tries = 0; tries < 50 && !(await beginning.isVisible()); tries += 1) {
    await page.keyboard.press("End");
    await page.waitForTimeout(200);
  }
  await beginning.waitFor();
  const said = (await list(page).allTextContents()).map((text) => /logged (in|out)/.exec(text)?.[1]);
  assert.equal(said.length, EVENTS);
  assert.ok(said.every((what, index) => what === (index % 2 ? "in" : "out")));
  await keepScreenshot(page, "history-long");
  assert.deepEqual(problems, []);
});

test("what happens while the history is open is on top of it, if it matches", async () => {
  const admin = await client(ADMIN);
  const fields = { specialization: "", consultation_hours: "", first_name: "Otto" };
  const other = await newDoctor({ ...fields, last_name: "Other" });
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  await openHistory(page);
  await page.getByLabel("Doctor").selectOption(busyBee.name);
  const top = list(page).first();
  await top.filter({ hasText: busyBee.name }).waitFor();

  await admin("/api/users/login-status/", { doctor_id: other.id });
  await admin("/api/users/availability-status/", { doctor_id: busyBee.id, is_available_for_consultation: true });
  await top.filter({ hasText: `${busyBee.name} is available for consultation (by an administrator)` }).waitFor();
  assert.equal(await list(page).filter({ hasText: "Dr. Otto Other" }).count(), 0);
  await page.getByLabel("Doctor").selectOption("All");
  await list(page).filter({ hasText: "Dr. Otto Other logged in" }).waitFor();
  await admin("/api/users/availability-status/", { doctor_id: busyBee.id, is_available_for_consultation: false });
  await admin("/api/users/logout-status/", { doctor_id: other.id });
  assert.deepEqual(problems, []);
});

test("the history of some days is those days', and of none, none", async () => {
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  await openHistory(page);
  await page.getByLabel("To", { exact: true }).fill("2020-02-29");
  await page.getByText("Nothing happened that matches.").waitFor();
  await page.getByLabel("From").fill("2020-03-01");
  await page.getByRole("alert").getByText("“To” is before “From”.").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await list(page).first().waitFor();
  await page.getByLabel("From").fill(new Date().toISOString().slice(0, 10));
  await list(page).filter({ hasText: busyBee.name }).first().waitFor();
  assert.deepEqual(problems, []);
});

test("everything that matches is exported, not only what is on the page", async () => {
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  await openHistory(page);
  await page.getByLabel("Doctor").selectOption(busyBee.name);
  await list(page).first().filter({ hasText: busyBee.name }).waitFor();
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export CSV" }).click();
  const download = await downloading;
  assert.match(download.suggestedFilename(), /^rollcall-\d{4}-\d\d-\d\d\.csv$/);
  const table = await readFile(await download.path(), "utf8");
  assert.match(table, /^\uFEFFseq,timestamp,type,action,doctor_id,doctor_name,/);
  const rows = table.trim().split("\n");
  assert.ok(rows.length > EVENTS);
  assert.ok(rows.slice(1).every((row) => row.includes(`,${busyBee.name},`)));
  assert.deepEqual(problems, []);
});

test("a page of the history that cannot be read is asked for again", async () => {
  await using visitor = await visit(browser, "/");
  const { page } = visitor;
  await signIn(page, ADMIN);
  await connected(page);
  await page.route("**/api/events/?*before*", (route) => route.abort());
  await page.getByRole("link", { name: "History" }).click();
  await page.getByRole("alert").getByText("The history could not be read.").waitFor();
  await page.unroute("**/api/events/?*before*");
  await page.getByRole("button", { name: "Try again" }).click();
  await list(page).first().waitFor();
});

test("what was heard yesterday stays in the history when a new day begins", async () => {
  const admin = await client(ADMIN);
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  await justBeforeMidnight(page);
  await openHistory(page);
  await admin("/api/users/availability-status/", { doctor_id: busyBee.id, is_available_for_consultation: true });
  const heard = list(page).first().filter({ hasText: `${busyBee.name} is available` });
  await heard.waitFor();
  await page.clock.fastForward(60_000);
  await page.getByText("Connected", { exact: true }).waitFor();
  await heard.waitFor();
  await admin("/api/users/availability-status/", { doctor_id: busyBee.id, is_available_for_consultation: false });
  await list(page).first().filter({ hasText: `${busyBee.name} is busy` }).waitFor();
  await list(page).nth(1).filter({ hasText: `${busyBee.name} is available` }).waitFor();
  assert.deepEqual(problems, []);
});
