// What every browser test needs: Chromium, a person on a page, and the certainty that the page logged no error.
// The caller runs the Worker with the hospitals of xtask/src/test_hospitals.rs and says where in ROLLCALL_URL.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

export const ROLLCALL_URL = new URL(process.env.ROLLCALL_URL ?? "http://127.0.0.1:8787");

/** Each file of tests, a process of its own, has two hospitals to itself, so that files can run side by side. */
const NUMBER = 2 * testFiles().indexOf(basename(process.argv[1] ?? ""));
export const ADMIN = `admin@h${NUMBER}.example.com`;
export const ANN = `ann.lee@h${NUMBER}.example.com`;
export const BOB = `bob.ray@h${NUMBER}.example.com`;
export const CHEN = `chen.wu@h${NUMBER}.example.com`;
export const USER = `user1@h${NUMBER}.example.com`;
/** Another hospital, in New York. */
export const NORTH_ADMIN = `admin@h${NUMBER + 1}.example.com`;
export const NORTH_DANA = `dana.fox@h${NUMBER + 1}.example.com`;
/** Of a hospital with 500 doctors. */
export const BIG_ADMIN = "admin@big.example.com";

const PASSWORD = "rollcall-demo";
const ARTIFACTS = process.env.ARTIFACTS ?? "artifacts";

function testFiles(): string[] {
  return readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test.ts")).sort();
}

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** One person's browser with one page open, and everything that went wrong on it. */
export interface Visit {
  page: Page;
  problems: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens `path` in a browser of its own, with cookies of its own, which closes at the end of the block. */
export async function visit(
  browser: Browser,
  path: string,
  { origin = ROLLCALL_URL, ...options }: BrowserContextOptions & { origin?: URL } = {},
): Promise<Visit> {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("dialog", (dialog) => {
    problems.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const at = message.location().url;
    // Asking who is signed in before anybody is; Chromium logs every 401.
    if (at.endsWith("/api/users/me/") && message.text().includes("401")) return;
    problems.push(`${message.text()} (${at})`);
  });
  await page.goto(new URL(path, origin).href);
  return { page, problems, [Symbol.asyncDispose]: () => context.close() };
}

export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel("Email or username").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Loads the page anew, on a clock that says 23:59:40 (UTC) and that the test can move. */
export async function justBeforeMidnight(page: Page): Promise<void> {
  await page.clock.install({ time: new Date().setUTCHours(23, 59, 40, 0) });
  await page.reload();
}

/** Waits for the exact text, as the original apps' success indicator has it. */
export async function connected(page: Page): Promise<void> {
  await page.getByText("Connected", { exact: true }).waitFor();
}

async function post<Answer>(path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(new URL(path, ROLLCALL_URL), {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
  return (await response.json()) as Answer;
}

function login(email: string): Promise<{ token: string; user: { id: number } }> {
  return post("/api/users/login/", { email, password: PASSWORD });
}

/** Another program's calls to the API, as `email`. */
export async function client(email: string): Promise<<Answer>(path: string, body: object) => Promise<Answer>> {
  const { token } = await login(email);
  return (path, body) => post(path, body, { Authorization: `Token ${token}` });
}

/** What another program reads from the API, as `email`. */
export async function reader(email: string): Promise<<Answer>(path: string) => Promise<Answer>> {
  const { token } = await login(email);
  return async <Answer>(path: string) => {
    const response = await fetch(new URL(path, ROLLCALL_URL), { headers: { Authorization: `Token ${token}` } });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return (await response.json()) as Answer;
  };
}

/** A doctor whom the administrator has just created, so that no other test knows them. */
export async function newDoctor(fields: {
  first_name: string;
  last_name: string;
  specialization: string;
  consultation_hours: string;
}): Promise<{ id: number; email: string; password: string }> {
  const username = `doctor-${randomUUID().slice(0, 8)}`;
  const [email, password] = [`${username}@example.com`, `${username}-Lantern-7`];
  const admin = await client(ADMIN);
  const account = { ...fields, email, username, role: "doctor", password };
  const { id } = await admin<{ id: number }>("/api/users/", account);
  return { id, email, password };
}

export async function tokenOf(email: string): Promise<string> {
  return (await login(email)).token;
}

/** The id of the account `email`. */
export async function idOf(email: string): Promise<number> {
  return (await login(email)).user.id;
}

/** Keeps a picture of the page for people to look at. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTIFACTS, `${name}.png`), fullPage: true, animations: "disabled" });
}

export async function assertFits(page: Page): Promise<void> {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  assert.ok(content <= window, `${page.url()} is ${content} px wide in a window of ${window} px`);
}
