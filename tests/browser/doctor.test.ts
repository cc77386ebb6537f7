import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page, Route } from "playwright-core";
import type { ActiveConnections, Sessions } from "../../dashboard/src/wire.ts";
import { assertLooksRight } from "./accessible.ts";
import {
  ADMIN,
  client,
  connected,
  keepScreenshot,
  launch,
  newDoctor,
  ROLLCALL_URL,
  signIn,
  visit,
  type Visit,
} from "./browser.ts";
import { wireTo } from "./cut-wire.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

interface Account {
  id: number;
  email: string;
  password: string;
}

/** A doctor of their own for each test: free for a consultation, and not on duty. */
async function vera(): Promise<Account> {
  const fields = { first_name: "Vera", last_name: "Stone", specialization: "Neurology", consultation_hours: "" };
  const account = await newDoctor(fields);
  const admin = await client(ADMIN);
  await admin("/api/users/availability-status/", { doctor_id: account.id, is_available_for_consultation: true });
  return account;
}

/** Signs in from elsewhere, with a program that is no browser. */
const signInElsewhere = ({ email, password }: Account) => client(email, password);

/** Their page, on duty. */
async function onDuty(account: Account, options: Parameters<typeof visit>[2] = {}): Promise<Visit> {
  const visitor = await visit(browser, "/doctor", options);
  await signIn(visitor.page, account.email, account.password);
  await state(visitor.page, "On duty").waitFor();
  await connected(visitor.page);
  return visitor;
}

const state = (page: Page, name: "On duty" | "Off duty") => page.getByText(name, { exact: true });
const available = (page: Page) => page.getByRole("switch", { name: "Available for consultation", exact: true });
const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name, exact: true });
const sessions = (page: Page) => page.getByRole("list", { name: "Where you are signed in" }).getByRole("listitem");

async function isOn(page: Page): Promise<boolean> {
  return (await available(page).getAttribute("aria-checked")) === "true";
}

async function until(page: Page, on: boolean): Promise<void> {
  await page.getByRole("switch", { checked: on }).waitFor();
}

/** Holds back the next call of `path`. */
async function hold(page: Page, path: string): Promise<{ call: Promise<Route> }> {
  let hold: (route: Route) => void;
  const call = new Promise<Route>((resolve) => (hold = resolve));
  await page.route(`**${path}`, (route) => hold(route), { times: 1 });
  return { call };
}

test("the switch shows what the server has confirmed, never what was touched", async () => {
  await using doctor = await onDuty(await vera());
  const { page, problems } = doctor;
  const was = await isOn(page);
  const box = await available(page).boundingBox();
  assert.ok(box && box.height >= 64 && box.width >= 64, `${box?.width} by ${box?.height} px`);

  const { call } = await hold(page, "/api/users/availability-status/");
  await available(page).click();
  const route = await call;
  await available(page).getByText("One moment…").waitFor();
  assert.equal(await isOn(page), was, "not before the answer");
  await keepScreenshot(page, "doctor-one-moment");
  await route.continue();
  await until(page, !was);
  await page.getByText("One moment…").waitFor({ state: "detached" });

  await page.route("**/api/users/availability-status/", (failing) => failing.abort());
  await available(page).click();
  await page.getByRole("alert").getByText("The server cannot be reached.").waitFor();
  assert.equal(await isOn(page), !was, "it stays");
  await keepScreenshot(page, "doctor-failed");
  await page.unroute("**/api/users/availability-status/");
  problems.length = 0;
  await available(page).click();
  await until(page, was);
  assert.equal(await page.getByRole("alert").count(), 0);
  assert.deepEqual(problems, []);
});

test("a call that was done but not answered is found out", async () => {
  await using doctor = await onDuty(await vera());
  const { page, problems } = doctor;
  // The own connection would tell, too.
  await page.routeWebSocket(/./, () => {});
  await page.reload();
  await until(page, true);
  await page.route("**/api/users/availability-status/", async (route) => {
    await route.fetch();
    await route.abort();
  });
  await available(page).click();
  await page.getByRole("alert").waitFor();
  await until(page, false);
  assert.deepEqual(problems.filter((problem) => !problem.includes("ERR_FAILED")), []);
});

test("a doctor goes off duty and on again without signing out", async () => {
  await using doctor = await onDuty(await vera());
  const { page, problems } = doctor;
  await button(page, "Go off duty").click();
  await state(page, "Off duty").waitFor();
  await page.getByText(/^since \d/).waitFor();
  await keepScreenshot(page, "doctor-off-duty");
  await button(page, "Go on duty").click();
  await state(page, "On duty").waitFor();
  await connected(page);
  assert.equal(await page.getByRole("alert").count(), 0, "one's own doing is no news");
  assert.deepEqual(problems, []);
});

test("what an administrator does to a doctor shows at once, with the reason and since when", async () => {
  const account = await vera();
  const admin = await client(ADMIN);
  await using doctor = await onDuty(account);
  const { page, problems } = doctor;

  await admin("/api/users/availability-status/", { doctor_id: account.id, is_available_for_consultation: false });
  await until(page, false);
  await page.getByRole("alert").getByText(/^An administrator set you to busy at \d/).waitFor();
  await button(page, "Close").click();
  await page.getByRole("alert").waitFor({ state: "detached" });

  await admin("/api/users/logout-status/", { doctor_id: account.id });
  await state(page, "Off duty").waitFor();
  await page.getByText(/^since \d/).waitFor();
  await page.getByRole("alert").getByText(/^An administrator took you off duty at \d/).waitFor();
  await keepScreenshot(page, "doctor-taken-off-duty");

  await button(page, "Go on duty").click();
  await state(page, "On duty").waitFor();
  await page.getByRole("alert").waitFor({ state: "detached" });
  await connected(page);
  assert.deepEqual(problems, []);
});

test("an answer that comes late does not hide what happened since", async () => {
  const account = await vera();
  const admin = await client(ADMIN);
  await using doctor = await onDuty(account);
  const { page, problems } = doctor;
  const { call } = await hold(page, "/api/users/availability-status/");
  await available(page).click();
  const route = await call;
  const late = await route.fetch();
  await admin("/api/users/logout-status/", { doctor_id: account.id });
  await state(page, "Off duty").waitFor();
  await route.fulfill({ response: late });
  await page.getByText("One moment…").waitFor({ state: "detached" });
  assert.equal(await button(page, "Go off duty").count(), 0);
  await page.getByRole("alert").getByText(/^An administrator took you off duty/).waitFor();
  await connected(page);
  assert.deepEqual(problems, []);
});

test("a doctor who was taken off duty while the page was not connected is told when it is back", async () => {
  const account = await vera();
  await using wire = await wireTo(ROLLCALL_URL);
  await using doctor = await onDuty(account, { origin: wire.url });
  const { page } = doctor;
  wire.cut();
  await page.getByText("Reconnecting…").waitFor();
  await page.getByText("You are taken off duty soon, unless this page connects again.").waitFor();
  await keepScreenshot(page, "doctor-reconnecting");
  const admin = await client(ADMIN);
  await admin("/api/users/logout-status/", { doctor_id: account.id });
  wire.mend();
  await button(page, "Try now").or(page.getByText("Connected", { exact: true })).first().click();
  await page.getByRole("alert").getByText("You were taken off duty while this page was not connected.").waitFor();
  await state(page, "Off duty").waitFor();
});

test("one's own sessions are listed in words, and end when they should; their pages say so", async () => {
  const account = await vera();
  const phone =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
  await using lost = await onDuty(account, { userAgent: phone });
  await using doctor = await onDuty(account);
  const { page, problems } = doctor;
  await page.getByText("Where you are signed in").click();
  await sessions(page).filter({ hasText: "Chrome on Linux" }).getByText("This one").waitFor();
  const other = sessions(page).filter({ hasText: "Chrome on Android" });
  await other.getByText(/^Signed in \d.*/).waitFor();
  assert.equal(await sessions(page).count(), 2);

  await button(page, /^End the session of Chrome on Android/).click();
  await button(page, "Cancel").click();
  assert.equal(await sessions(page).count(), 2);
  assert.ok(await button(page, /^End the session/).evaluate((element) => element === document.activeElement));
  await button(page, /^End the session/).click();
  await keepScreenshot(page, "doctor-sessions");
  await page.getByRole("dialog").getByRole("button", { name: "End" }).click();
  await page.getByText("1 session ended.").waitFor();
  await page.getByText("You are signed in nowhere else.").waitFor();
  assert.equal(await sessions(page).count(), 1);
  await lost.page.getByText(/^Signed out: your session has ended/).waitFor();
  await state(page, "On duty").waitFor();
  assert.deepEqual(problems, []);
});

test("all other sessions end at once, and this one stays", async () => {
  const account = await vera();
  await using doctor = await onDuty(account);
  const { page, problems } = doctor;
  for (let count = 0; count < 3; count += 1) await signInElsewhere(account);
  await page.getByText("Where you are signed in").click();
  await button(page, "End all others").click();
  await page.getByText("End 3 sessions?").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "End" }).click();
  await page.getByText("3 sessions ended.").waitFor();
  assert.equal(await sessions(page).count(), 1);
  await page.reload();
  await state(page, "On duty").waitFor();
  assert.deepEqual(problems, []);
});

test("sessions that cannot be read can be asked for again", async () => {
  await using doctor = await onDuty(await vera());
  const { page, problems } = doctor;
  await page.route("**/api/users/sessions/", (route) => route.fulfill({ status: 503, body: "" }), { times: 1 });
  await page.getByText("Where you are signed in").click();
  await page.getByRole("alert").getByText(/^Your sessions could not be read\./).waitFor();
  await button(page, "Try again").click();
  await sessions(page).getByText("This one").waitFor();
  assert.equal(problems.length, 1, "the 503 that Chromium logs");
});

test("a new password ends every other session, and nothing of this page", async () => {
  const account = await vera();
  await using other = await onDuty(account);
  await using doctor = await onDuty(account);
  const { page, problems } = doctor;
  await page.locator("summary").getByText("Change password").click();
  const form = page.getByRole("form", { name: "Change password" });
  await form.getByLabel("Current password").fill(account.password);
  await form.getByLabel("New password").fill(`${account.password}-new`);
  await form.getByLabel("Repeat it").fill(`${account.password}-new`);
  await button(page, "Change password").click();
  await page.getByText("Your password is changed. Every other session has ended.").waitFor();
  await connected(page);
  await other.page.getByText(/^Signed out: your session has ended/).waitFor();
  await connected(page);
  await available(page).click();
  await until(page, false);
  assert.deepEqual(problems, []);
});

test("while a new password is on its way, the end of the old session signs nobody out", async () => {
  const account = await vera();
  await using doctor = await onDuty(account);
  const { page } = doctor;
  await page.locator("summary").getByText("Change password").click();
  const form = page.getByRole("form", { name: "Change password" });
  await form.getByLabel("Current password").fill(account.password);
  await form.getByLabel("New password").fill(`${account.password}-new`);
  await form.getByLabel("Repeat it").fill(`${account.password}-new`);
  const { call } = await hold(page, "/api/users/password/");
  await button(page, "Change password").click();
  const route = await call;

  // The server ends the sockets first, and answers then.
  const elsewhere = await signInElsewhere(account);
  const { sessions: entries } = await elsewhere<Sessions>("/api/users/sessions/");
  const id = entries.find(({ current }) => !current)?.id;
  await elsewhere(`/api/users/sessions/${id}/`, undefined, "DELETE");
  await page.getByText("Disconnected", { exact: true }).waitFor();
  await page.waitForTimeout(500);
  assert.equal(await form.count(), 1, "nobody asked who is signed in");
  await route.continue();
  await page.getByText(/^Signed out: your session has ended/).waitFor();
});

test("everything on the doctor's page can be done with the keyboard", async () => {
  await using doctor = await onDuty(await vera());
  const { page, problems } = doctor;
  await page.getByRole("button", { name: "Sign out" }).focus();
  const press = async (name: string | RegExp, key: string): Promise<void> => {
    for (let tabs = 0; tabs < 12; tabs += 1) {
      await page.keyboard.press("Tab");
      const [text, label, outline] = await page.evaluate(() => {
        const focused = document.activeElement;
        const outline = focused && getComputedStyle(focused).outlineStyle;
        return [focused?.textContent, focused?.getAttribute("aria-label"), outline];
      });
      if (`${label ?? text}`.match(name)) {
        assert.equal(outline, "solid", `one sees where one is: ${label ?? text}`);
        return page.keyboard.press(key);
      }
    }
    assert.fail(`${name} is not reached`);
  };
  const was = await isOn(page);
  await press("Available for consultation", "Space");
  await until(page, !was);
  await press("Where you are signed in", "Enter");
  await sessions(page).getByText("This one").waitFor();
  await page.getByRole("button", { name: "Sign out" }).focus();
  await press("Go off duty", "Enter");
  await state(page, "Off duty").waitFor();
  assert.deepEqual(problems, []);
});

test("the doctor's page fits every window and can be used by everybody, whatever is open on it", async () => {
  const account = await vera();
  await using doctor = await onDuty(account, { viewport: { width: 320, height: 640 } });
  const { page, problems } = doctor;
  await signInElsewhere(account);
  await page.mouse.move(0, 0);
  const inSight = await available(page).boundingBox();
  assert.ok(inSight && inSight.y + inSight.height <= 640, "without scrolling");
  await page.getByText("Where you are signed in").click();
  await sessions(page).getByText("This one").waitFor();
  await page.locator("summary").getByText("Change password").click();
  await page.mouse.move(0, 0);
  await assertLooksRight(page, "doctor-everything");
  await button(page, /^End the session/).click();
  await assertLooksRight(page, "doctor-end-session");
  await page.keyboard.press("Escape");
  await button(page, "Go off duty").click();
  await state(page, "Off duty").waitFor();
  assert.deepEqual(problems, []);
});

test("the doctor's page can be installed as an app", async () => {
  await using visitor = await visit(browser, "/doctor");
  const { page, problems } = visitor;
  const chromium = await page.context().newCDPSession(page);
  const manifest = await chromium.send("Page.getAppManifest");
  assert.deepEqual(manifest.errors, []);
  assert.match(manifest.url, /\/doctor\.webmanifest$/);
  const { installabilityErrors } = await chromium.send("Page.getInstallabilityErrors");
  // A context without a profile, as every test has it, can install nothing.
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito"), []);
  const { icons, start_url } = JSON.parse(manifest.data ?? "") as {
    icons: { src: string; sizes: string }[];
    start_url: string;
  };
  assert.equal(start_url, "/doctor");
  for (const { src, sizes } of icons) {
    const size = await page.evaluate(async (address) => {
      const image = new Image();
      image.src = address;
      await image.decode();
      return `${image.naturalWidth}x${image.naturalHeight}`;
    }, src);
    assert.equal(size, sizes, src);
  }
  assert.deepEqual(problems, []);
});

test("a touch is not lost while another one is on its way", async () => {
  const account = await vera();
  await using doctor = await onDuty(account);
  const { page, problems } = doctor;
  const held = await hold(page, "/api/users/availability-status/");
  const was = await isOn(page);
  await available(page).click();
  const route = await held.call;
  await button(page, "Go off duty").click();
  await route.continue();
  await until(page, !was);
  await state(page, "Off duty").waitFor();
  assert.deepEqual(problems, []);
});

test("a page that comes back while the server gives no answer asks until it knows the state", async () => {
  const account = await vera();
  await using wire = await wireTo(ROLLCALL_URL);
  await using doctor = await onDuty(account, { origin: wire.url });
  const { page } = doctor;
  wire.cut();
  await page.getByText("Reconnecting…").waitFor();
  const admin = await client(ADMIN);
  await admin("/api/users/logout-status/", { doctor_id: account.id });
  let refused = 0;
  await page.route("**/api/users/me/", (route) => (refused++ ? route.continue() : route.fulfill({ status: 503 })));
  wire.mend();
  await connected(page);
  await state(page, "Off duty").waitFor();
  assert.ok(refused > 1);
});

test("a doctor whose email was changed stays reachable", async () => {
  const account = await vera();
  await using wire = await wireTo(ROLLCALL_URL);
  await using doctor = await onDuty(account, { origin: wire.url });
  const { page } = doctor;
  const email = `new-${account.email}`;
  const admin = await client(ADMIN);
  await admin(`/api/users/${account.id}/`, { email }, "PATCH");
  wire.cut();
  await page.getByText("Reconnecting…").waitFor();
  wire.mend();
  await connected(page);
  const { active_connections } = await admin<ActiveConnections>("/api/hms/active-connections");
  assert.ok(active_connections.some((entry) => entry.email === email));
  await button(page, "Go off duty").click();
  await state(page, "Off duty").waitFor();
});

test("a page that opens while the server gives no answer waits for one, instead of asking to sign in", async () => {
  const account = await vera();
  await using doctor = await onDuty(account);
  const { page } = doctor;
  await page.route("**/api/users/me/", (route) => route.fulfill({ status: 503 }));
  await page.reload();
  await page.getByText("The server answered with an error (503).").waitFor();
  assert.equal(await page.getByLabel("Password").count(), 0);
  await page.unroute("**/api/users/me/");
  await state(page, "On duty").waitFor();
});
