import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ADMIN, keepScreenshot, launch, signIn, USER, visit } from "./browser.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const log = (page: Page) => page.getByRole("log");

async function connect(page: Page, email: string): Promise<void> {
  await page.getByLabel("Email").fill(email);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
}

test("the socket test page connects and gets its message back", async () => {
  await using visitor = await visit(browser, "/websocket_test.html");
  await connect(visitor.page, USER);
  await log(visitor.page)
    .getByText(`{"type":"connection_established","message":"Connected successfully as ${USER}"}`)
    .waitFor();

  await visitor.page.getByLabel("Message").fill("Hello <b>Server</b>!");
  await visitor.page.getByRole("button", { name: "Send" }).click();
  await log(visitor.page)
    .getByText(`{"type":"message","message":"Server received: Hello <b>Server</b>!","from":"${USER}"}`)
    .waitFor();
  await keepScreenshot(visitor.page, "socket-test");

  await visitor.page.getByRole("button", { name: "Disconnect" }).click();
  await log(visitor.page).getByText("Closed with code 1000").waitFor();
  assert.deepEqual(visitor.problems, []);
});

test("the socket test page shows why the server refused", async () => {
  await using visitor = await visit(browser, "/websocket_test.html");
  await connect(visitor.page, "");
  await log(visitor.page).getByText("Closed with code 4000").waitFor();
  await connect(visitor.page, "nobody@example.com");
  await log(visitor.page).getByText("Closed with code 4001").waitFor();
  assert.deepEqual(visitor.problems, []);
});

test("the socket test page explains that a signed-in browser connects as that person only", async () => {
  await using visitor = await visit(browser, "/");
  await signIn(visitor.page, ADMIN);
  await visitor.page.goto(new URL("/websocket_test.html", visitor.page.url()).href);
  await connect(visitor.page, USER);
  await visitor.page.getByText(`This browser is signed in as ${ADMIN}.`).waitFor();
  await visitor.page.getByRole("button", { name: "Sign out" }).click();
  await log(visitor.page).getByText("Signed out").waitFor();
  await connect(visitor.page, USER);
  await log(visitor.page).getByText("connection_established").waitFor();
  assert.deepEqual(visitor.problems, []);
});
