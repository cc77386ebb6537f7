import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import type { Browser, Page, Request } from "playwright-core";
import { assertLooksRight } from "./accessible.ts";
import {
  ADMIN,
  ANN,
  BOB,
  client,
  connected,
  keepScreenshot,
  launch,
  newDoctor,
  signIn,
  visit,
} from "./browser.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const list = (page: Page) => page.getByRole("table", { name: "Users" });
const rowOf = (page: Page, text: string) => list(page).getByRole("row").filter({ hasText: text });
const dialog = (page: Page) => page.getByRole("dialog");
const field = (page: Page, label: string) => dialog(page).getByLabel(label, { exact: true });
const press = (page: Page, name: string): Promise<void> =>
  dialog(page).getByRole("button", { name, exact: true }).click();
const said = (page: Page, text: string) => page.getByRole("status").filter({ hasText: text });
const counted = (page: Page, text: string) =>
  page.getByRole("status").filter({ hasText: new RegExp(`^\\s*${text}\\s*$`) });
const gone = (page: Page): Promise<void> => page.locator("dialog").waitFor({ state: "detached" });

async function openUsers(page: Page): Promise<void> {
  await signIn(page, ADMIN);
  await connected(page);
  await page.getByRole("link", { name: "Users" }).click();
  await list(page).waitFor();
}

/** Somebody new, and the list showing nobody else. */
async function openUser(page: Page): Promise<{ email: string; password: string; name: string; id: number }> {
  const last_name = `Test-${randomUUID().slice(0, 8)}`;
  const account = await newDoctor({
    first_name: "Ursula",
    last_name,
    specialization: "Surgery",
    consultation_hours: "08:00-12:00",
  });
  await openUsers(page);
  await search(page, last_name);
  await counted(page, "1 user").waitFor();
  return { ...account, name: `Ursula ${last_name}` };
}

const search = (page: Page, text: string): Promise<void> => page.getByRole("searchbox", { name: "Search" }).fill(text);

/** The bodies of what is asked of the server from now on in this way. */
function bodies(page: Page, method: string): unknown[] {
  const all: unknown[] = [];
  page.on("request", (request: Request) => {
    if (request.method() === method) all.push(request.postDataJSON());
  });
  return all;
}

/** Waits until the field says what is wrong with it, to somebody who sees the page and to somebody who hears it. */
async function assertAtFault(page: Page, label: string, problem: RegExp): Promise<void> {
  const input = field(page, label);
  await input.and(page.locator("[aria-invalid=true]:focus")).waitFor();
  const ids = ((await input.getAttribute("aria-describedby")) ?? "").split(" ");
  const [description = ""] = await page.locator(`[id="${ids[0]}"]`).allTextContents();
  assert.match(description, problem);
  assert.equal(await page.locator("[aria-invalid=true]").count(), 1);
}

/** That every problem is a refusal of this status which Chromium logs. */
function assertOnly(problems: readonly string[], status: RegExp, count: number): void {
  assert.equal(problems.filter((problem) => status.test(problem)).length, count, problems.join("\n"));
  assert.equal(problems.length, count, problems.join("\n"));
}

test("an administrator adds a doctor, who is listed, on the board, and can sign in", async () => {
  const [last_name, password] = [`New-${randomUUID().slice(0, 8)}`, "Lantern-and-77"];
  const email = `${last_name.toLowerCase()}@example.com`;
  await using admin = await visit(browser, "/");
  const { page } = admin;
  await openUsers(page);
  const sent = bodies(page, "POST");
  await page.getByRole("button", { name: "Add user" }).click();
  await field(page, "First name").fill("Nadia");
  await field(page, "Last name").fill(last_name);
  await field(page, "Email").fill(` ${email}`);
  await field(page, "Specialization").fill("Oncology");
  await field(page, "Consultation hours").fill("10:00-14:00");
  await field(page, "Password").fill(password);
  assert.equal(await field(page, "Password").getAttribute("type"), "password");
  await field(page, "Show the password").check();
  assert.equal(await field(page, "Password").getAttribute("type"), "text");
  await press(page, "Add user");
  await gone(page);
  await said(page, `Nadia ${last_name} was added.`).waitFor();
  assert.deepEqual(sent, [
    {
      email,
      role: "doctor",
      password,
      first_name: "Nadia",
      last_name,
      specialization: "Oncology",
      consultation_hours: "10:00-14:00",
    },
  ]);
  const row = rowOf(page, email);
  for (const text of [`Nadia ${last_name}`, "Doctor", "Oncology · 10:00-14:00", "Active"]) {
    await row.filter({ hasText: text }).waitFor();
  }
  await page.getByRole("link", { name: "Board" }).click();
  await page.getByRole("region", { name: "Doctors" }).getByText(`Dr. Nadia ${last_name}`).first().waitFor();

  await using doctor = await visit(browser, "/doctor");
  await signIn(doctor.page, email, password);
  await connected(doctor.page);
  assert.deepEqual(admin.problems, []);
});

test("what is wrong with a new user is told at its field, and nothing that was typed is lost", async () => {
  await using admin = await visit(browser, "/");
  const { page } = admin;
  await openUsers(page);
  await page.getByRole("button", { name: "Add user" }).click();
  const email = `weak-${randomUUID().slice(0, 8)}@example.com`;
  await field(page, "First name").fill("Wendy");
  await field(page, "Email").fill("no email");
  await field(page, "Password").fill("short");
  await dialog(page).getByText("8 to 1,024 characters.").waitFor();
  await press(page, "Add user");
  await assertAtFault(page, "Email", /valid email/);
  await field(page, "Email").fill(email);
  await press(page, "Add user");
  await assertAtFault(page, "Password", /too short.*at least 8/);
  await keepScreenshot(page, "users-weak-password");
  await field(page, "Password").fill("long-enough-77");
  await field(page, "Email").fill(ANN.toUpperCase());
  await press(page, "Add user");
  await assertAtFault(page, "Email", /email already exists/);
  await field(page, "Email").fill(email);
  await field(page, "Username").fill("ann.lee");
  await press(page, "Add user");
  await assertAtFault(page, "Username", /username already exists/);
  await press(page, "Add user");
  await assertAtFault(page, "Username", /username already exists/);
  assert.equal(await field(page, "First name").inputValue(), "Wendy");
  assert.equal(await field(page, "Email").inputValue(), email);
  assert.equal(await field(page, "Password").inputValue(), "long-enough-77");
  await assertLooksRight(page, "users-field-error");

  const detail = "Service temporarily unavailable, try again later.";
  await page.route("**/api/users/", (route) => route.fulfill({ status: 503, json: { detail, code: "unavailable" } }));
  await press(page, "Add user");
  await dialog(page).getByRole("alert").filter({ hasText: detail }).waitFor();
  assert.equal(await page.locator("[aria-invalid=true]").count(), 0);
  await page.unroute("**/api/users/");
  await field(page, "Username").fill("");
  await press(page, "Add user");
  await said(page, "Wendy was added.").waitFor();
  assertOnly(admin.problems, /400|409|503/, 6);
});

test("an edit sends what was changed and nothing else, and the list shows the server's answer", async () => {
  await using admin = await visit(browser, "/");
  const { page } = admin;
  const { name, email } = await openUser(page);
  const sent = bodies(page, "PATCH");
  const edit = page.getByRole("button", { name: `Edit ${name}` });
  await edit.click();
  await field(page, "Specialization").fill("  Dermatology ");
  await press(page, "Save");
  await gone(page);
  await rowOf(page, email).getByText("Dermatology · 08:00-12:00", { exact: true }).waitFor();
  await edit.and(page.locator(":focus")).waitFor();

  await edit.click();
  await press(page, "Save");
  await gone(page);
  assert.deepEqual(sent, [{ specialization: "Dermatology" }]);

  await edit.click();
  await field(page, "Email").fill(ANN);
  await press(page, "Save");
  await assertAtFault(page, "Email", /email already exists/);
  await press(page, "Cancel");
  await edit.click();
  assert.equal(await field(page, "Email").inputValue(), email);

  await field(page, "Role").selectOption("User");
  await dialog(page).getByText("With another role they are signed out everywhere.").waitFor();
  assert.equal(await field(page, "Specialization").count(), 0);
  await press(page, "Save");
  await gone(page);
  assert.deepEqual(sent.at(-1), { role: "user" });
  await rowOf(page, email).getByText("Dermatology").waitFor({ state: "detached" });
  await edit.click();
  await field(page, "Role").selectOption("Doctor");
  await press(page, "Save");
  await gone(page);
  await rowOf(page, email).getByRole("cell", { name: "Doctor", exact: true }).waitFor();
  assertOnly(admin.problems, /409/, 1);
});

test("the search is the server's, and goes with the role; who does not match is not shown", async () => {
  const tag = `Tag-${randomUUID().slice(0, 8)}`;
  const admins = await client(ADMIN);
  const roles = ["doctor", "user", ...Array<string>(25).fill("user")];
  for (const [at, role] of roles.entries()) {
    const first_name = `P${String(at).padStart(2, "0")}`;
    const email = `${tag}-${at}@example.com`.toLowerCase();
    await admins("/api/users/", { email, role, first_name, last_name: tag, password: "Lantern-and-77" });
  }
  await using admin = await visit(browser, "/");
  const { page } = admin;
  await openUsers(page);
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/api/users/?")) asked.push(new URL(request.url()).search);
  });

  await page.getByRole("searchbox", { name: "Search" }).pressSequentially(tag.toLowerCase(), { delay: 20 });
  await counted(page, "25 of 27 users").waitFor();
  assert.ok(asked.length <= 2, `${asked.length} requests for one word`);
  assert.equal(await list(page).getByRole("rowheader").count(), 25);
  await page.getByRole("button", { name: "Show more" }).focus();
  await page.keyboard.press("Enter");
  await counted(page, "27 users").waitFor();
  assert.equal(await list(page).getByRole("rowheader").count(), 27);
  const names = await list(page).getByRole("rowheader").allTextContents();
  assert.equal(new Set(names).size, 27);
  assert.deepEqual(names, names.toSorted());
  await rowOf(page, `P25 ${tag}`).getByRole("rowheader").and(page.locator(":focus")).waitFor();
  assert.equal(await page.getByRole("button", { name: "Show more" }).count(), 0);

  await page.getByLabel("Role").selectOption("Doctor");
  await counted(page, "1 user").waitFor();
  assert.match(asked.at(-1) ?? "", /role=doctor/);
  await search(page, `${tag}-nobody`);
  await page.getByText("No user matches.").waitFor();
  await keepScreenshot(page, "users-no-match");
  await page.getByRole("button", { name: "Show all" }).click();
  await rowOf(page, ADMIN).waitFor();
  assert.equal(await page.getByRole("searchbox", { name: "Search" }).inputValue(), "");
  assert.equal(await page.getByLabel("Role").inputValue(), "");
  assert.deepEqual(admin.problems, []);
});

test("an answer that comes late does not replace a newer one", async () => {
  await using admin = await visit(browser, "/");
  const { page } = admin;
  await openUsers(page);
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(/search=ann/, async (route) => {
    const response = await route.fetch();
    await held;
    await route.fulfill({ response });
  });
  const late = page.waitForRequest(/search=ann/);
  await search(page, "ann.lee");
  const answered = (await late).response();
  await search(page, "bob.ray");
  await rowOf(page, ANN).waitFor({ state: "detached" });
  release();
  await answered;
  await rowOf(page, BOB).waitFor();
  assert.equal(await rowOf(page, ANN).count(), 0);
  assert.deepEqual(admin.problems, []);
});

test("who is deactivated is signed out at once and off duty, and comes back when activated", async () => {
  await using admin = await visit(browser, "/");
  const { page } = admin;
  const { name, email, password } = await openUser(page);
  await using doctor = await visit(browser, "/doctor");
  await signIn(doctor.page, email, password);
  await doctor.page.getByText("On duty", { exact: true }).waitFor();

  await page.getByRole("button", { name: `Deactivate ${name}` }).click();
  await dialog(page).getByText("They are signed out everywhere at once").waitFor();
  await dialog(page).getByText("They go off duty").waitFor();
  await keepScreenshot(page, "users-deactivate");
  await press(page, "Deactivate");
  await said(page, `${name} is deactivated.`).waitFor();
  await rowOf(page, email).getByText("Deactivated", { exact: true }).waitFor();
  await doctor.page.getByText("Signed out: your session has ended.").waitFor();
  const entry = page.getByRole("region", { name: "Doctor Login/Logout Notifications" }).getByRole("listitem");
  await page.getByRole("link", { name: "Board" }).click();
  await entry.filter({ hasText: `${name} logged out` }).waitFor();

  await page.getByRole("link", { name: "Users" }).click();
  // The board has a search of its own.
  await list(page).waitFor();
  await search(page, email);
  const activate = page.getByRole("button", { name: `Activate ${name}` });
  await activate.click();
  await press(page, "Activate");
  await said(page, `${name} is active again.`).waitFor();
  await page.getByRole("button", { name: `Deactivate ${name}` }).and(page.locator(":focus")).waitFor();
  await signIn(doctor.page, email, password);
  await doctor.page.getByText("On duty", { exact: true }).waitFor();
  assert.deepEqual(admin.problems, []);
});

test("a temporary password is shown once, works once, and leads to the choice of another one", async () => {
  await using admin = await visit(browser, "/", { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = admin;
  const { name, email, password } = await openUser(page);
  const button = page.getByRole("button", { name: `Reset password of ${name}` });
  await button.click();
  await dialog(page).getByText("their password stops working").waitFor();
  await press(page, "Reset password");
  const shown = dialog(page).getByLabel("Temporary password", { exact: true });
  await shown.waitFor();
  const temporary = await shown.inputValue();
  assert.ok(temporary.length >= 8 && (await shown.getAttribute("readonly")) !== null);
  await dialog(page).getByText(/Good until \d.*20\d\d.*\d\d:\d\d/).waitFor();
  await press(page, "Copy");
  await dialog(page).getByText("Copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), temporary);
  await assertLooksRight(page, "users-temporary-password");
  await page.keyboard.press("Escape");
  await gone(page);
  await button.and(page.locator(":focus")).waitFor();
  assert.ok(!(await page.content()).includes(temporary));
  assert.ok(!(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).includes(temporary));

  await using doctor = await visit(browser, "/doctor");
  const entry = async (secret: string): Promise<void> => {
    await doctor.page.getByLabel("Email or username").fill(email);
    await doctor.page.getByLabel("Password").fill(secret);
    await doctor.page.getByRole("button", { name: "Sign in" }).click();
  };
  await entry(password);
  await doctor.page.getByRole("alert").waitFor();
  await signIn(doctor.page, email, temporary);
  const form = doctor.page.getByRole("form", { name: "Choose your own password" });
  await form.getByLabel("Temporary password").fill(temporary);
  await form.getByLabel("New password").fill(`${password}-own`);
  await form.getByLabel("Repeat it").fill(`${password}-own`);
  await form.getByRole("button", { name: "Change password" }).click();
  await doctor.page.getByText("On duty", { exact: true }).waitFor();
  await doctor.page.getByRole("button", { name: "Sign out" }).click();
  await entry(temporary);
  await doctor.page.getByRole("alert").waitFor();
  assert.deepEqual(admin.problems, []);
  assertOnly(doctor.problems, /401/, 2);
});

test("a browser that does not copy says so, with the password selected", async () => {
  await using admin = await visit(browser, "/");
  const { page } = admin;
  const { name } = await openUser(page);
  await page.evaluate(() => {
    Object.defineProperty(navigator.clipboard, "writeText", { value: () => Promise.reject(new Error("no")) });
  });
  await page.getByRole("button", { name: `Reset password of ${name}` }).click();
  await press(page, "Reset password");
  await press(page, "Copy");
  await dialog(page).getByText("This browser did not copy it.").waitFor();
  const shown = dialog(page).getByLabel("Temporary password", { exact: true });
  const selected = await shown.evaluate((input: HTMLInputElement) => input.selectionEnd! - input.selectionStart!);
  assert.equal(selected, (await shown.inputValue()).length);
  assert.deepEqual(admin.problems, []);
});

test("administrators cannot lock themselves out, and read why", async () => {
  await using admin = await visit(browser, "/");
  const { page } = admin;
  await openUsers(page);
  await search(page, ADMIN);
  await counted(page, "1 user").waitFor();
  const row = rowOf(page, ADMIN);
  await row.getByText("You", { exact: true }).waitFor();
  await row.getByText("Only another administrator can deactivate you or reset your password.").waitFor();
  assert.equal(await row.getByRole("button").count(), 1);
  await row.getByRole("button", { name: "Edit" }).click();
  assert.ok(await field(page, "Role").isDisabled());
  await dialog(page).getByText("Only another administrator can change your role.").waitFor();
  await keepScreenshot(page, "users-own-account");
  await field(page, "Last name").fill("Administrator");
  await press(page, "Save");
  await row.filter({ hasText: "Alex Administrator" }).waitFor();
  await gone(page);
  await row.getByRole("button", { name: "Edit" }).click();
  await field(page, "Last name").fill("Admin");
  await press(page, "Save");
  await row.filter({ hasText: /Alex Admin\b/ }).waitFor();
  assert.deepEqual(admin.problems, []);
});

test("every dialog begins with the keyboard in it, closes with Escape, and gives the keyboard back", async () => {
  await using admin = await visit(browser, "/");
  const { page } = admin;
  const { name } = await openUser(page);
  for (const button of ["Add user", `Edit ${name}`, `Reset password of ${name}`, `Deactivate ${name}`]) {
    const trigger = page.getByRole("button", { name: button });
    await trigger.focus();
    await page.keyboard.press("Enter");
    await dialog(page).waitFor();
    assert.ok(await dialog(page).evaluate((dialog) => dialog.contains(document.activeElement)), button);
    await page.keyboard.press("Escape");
    await gone(page);
    await trigger.and(page.locator(":focus")).waitFor();
  }
  assert.deepEqual(admin.problems, []);
});

test("users that cannot be read are a problem that can be tried again, and those that are there stay", async () => {
  await using admin = await visit(browser, "/");
  const { page } = admin;
  await page.route("**/api/users/?*", (route) => route.abort());
  await signIn(page, ADMIN);
  await page.getByRole("link", { name: "Users" }).click();
  const alert = page.getByRole("alert").filter({ hasText: "The users could not be read." });
  await alert.waitFor();
  await page.unroute("**/api/users/?*");
  await alert.getByRole("button", { name: "Try again" }).click();
  await rowOf(page, ADMIN).waitFor();
  assert.equal(await alert.count(), 0);
  await page.route("**/api/users/?*", (route) => route.abort());
  await search(page, "ann.lee");
  await alert.waitFor();
  await rowOf(page, ADMIN).waitFor();
  await page.unroute("**/api/users/?*");
  await alert.getByRole("button", { name: "Try again" }).click();
  await counted(page, "1 user").waitFor();
  assertOnly(admin.problems, /ERR_FAILED/, 2);
});

test("a session that ended asks to sign in again", async () => {
  await using admin = await visit(browser, "/");
  const { page } = admin;
  await openUsers(page);
  await page.getByRole("button", { name: "Add user" }).click();
  await page.context().clearCookies();
  await press(page, "Add user");
  await page.getByText("Signed out: your session has ended.").waitFor();
  assert.equal(await dialog(page).count(), 0);
  assertOnly(admin.problems, /401/, 1);
});

test("the users can be managed by everybody in every window, however long a name is", async () => {
  const tag = randomUUID().slice(0, 8);
  await newDoctor({
    first_name: "Wolfeschlegelsteinhausenbergerdorff",
    last_name: `Hubert-Blaine-${tag}`,
    specialization: "Otorhinolaryngology-and-neurootology",
    consultation_hours: "09:00-17:00",
  });
  const admins = await client(ADMIN);
  await admins("/api/users/", {
    email: `${"long-".repeat(12)}${tag}@${"sub.".repeat(30)}example.com`,
    first_name: "Zed",
    last_name: tag,
    role: "user",
    is_active: false,
    password: "Lantern-and-77",
  });
  await using admin = await visit(browser, "/");
  const { page } = admin;
  await openUsers(page);
  await search(page, tag);
  await counted(page, "2 users").waitFor();
  await assertLooksRight(page, "users-long");
  await page.getByRole("button", { name: `Edit Wolfeschlegelsteinhausenbergerdorff Hubert-Blaine-${tag}` }).click();
  await dialog(page).waitFor();
  await assertLooksRight(page, "users-form");
  await page.setViewportSize({ width: 320, height: 640 });
  const inside = await dialog(page).evaluate((dialog) => dialog.scrollWidth <= dialog.clientWidth);
  assert.ok(inside, "the dialog scrolls sideways");
  assert.deepEqual(admin.problems, []);
});
