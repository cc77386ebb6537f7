// Every view, in every width and theme: it fits, axe finds nothing serious, and a picture is kept.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { assertLooksRight } from "./accessible.ts";
import { ADMIN, ANN, BOB, client, connected, launch, signIn, visit } from "./browser.ts";

interface View {
  name: string;
  path: string;
  as?: string;
  /** Waits until it shows what it is for. */
  ready: (page: Page) => Promise<unknown>;
}

const heading = (name: string) => (page: Page) => page.getByRole("heading", { name }).first().waitFor();

const VIEWS: readonly View[] = [
  { name: "sign-in", path: "/", ready: heading("Sign in") },
  { name: "board", path: "/", as: ADMIN, ready: (page) => page.getByText("Most at once").waitFor() },
  { name: "history", path: "/#history", as: ADMIN, ready: (page) => page.getByText("logged in").first().waitFor() },
  { name: "connections", path: "/#connections", as: ADMIN, ready: heading("Active connections") },
  { name: "users", path: "/#users", as: ADMIN, ready: heading("Users") },
  { name: "account", path: "/#account", as: ADMIN, ready: heading("My account") },
  { name: "wall", path: "/#wall", as: ADMIN, ready: (page) => page.getByText("Dr. Bob Ray").waitFor() },
  { name: "wrong-page", path: "/doctor", as: ADMIN, ready: (page) => page.getByText("This page is for").waitFor() },
  { name: "doctor", path: "/doctor", as: ANN, ready: (page) => page.getByRole("switch").waitFor() },
  { name: "socket-test", path: "/websocket_test.html", ready: heading("Log") },
];

let browser: Browser;
before(async () => {
  browser = await launch();
  const bob = await client(BOB);
  await bob("/api/users/login-status/", {});
});
after(async () => {
  const bob = await client(BOB);
  await bob("/api/users/logout-status/", {});
  await browser.close();
});

for (const { name, path, as, ready } of VIEWS) {
  test(`the view ${name} fits every window and can be used by everybody`, async () => {
    await using visitor = await visit(browser, as ? path.replace(/#.*/, "") : path);
    const { page, problems } = visitor;
    if (as) {
      await signIn(page, as);
      if (name !== "wrong-page") await connected(page);
      await page.goto(new URL(path, page.url()).href);
    }
    await ready(page);
    await assertLooksRight(page, name);
    assert.deepEqual(problems, []);
  });
}
