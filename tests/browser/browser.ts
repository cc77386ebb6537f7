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

/** Without a body it reads, with one it posts, unless it is told otherwise. */
export type Client = <Answer>(path: string, body?: object, method?: string) => Promise<Answer>;

async function call<Answer>(
  headers: Record<string, string>,
  path: string,
  body?: object,
  method = body ? "POST" : "GET",
): Promise<Answer> {
  const response = await fetch(new URL(path, ROLLCALL_URL), {
    method,
    headers: body ? { "Content-Type": "application/json", ...headers } : headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return (text ? JSON.parse(text) : undefined) as Answer;
}

function login(email: string, password = PASSWORD): Promise<{ token: string; user: { id: number } }> {
  return call({}, "/api/users/login/", { email, password });
}

/** Another program's calls to the API, as `email`, in a session of its own. */
export async function client(email: string, password?: string): Promise<Client> {
  const { token } = await login(email, password);
  return (path, body, method) => call({ Authorization: `Token ${token}` }, path, body, method);
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
