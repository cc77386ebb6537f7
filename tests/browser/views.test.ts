// Every view, in every width and theme: it fits, axe finds nothing serious, and a picture is kept.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { ADMIN, ANN, assertFits, BOB, client, connected, keepScreenshot, launch, signIn, visit } from "./browser.ts";

const WIDTHS = [
  { width: 320, height: 640 },
  { width: 768, height: 1024 },
  { width: 1920, height: 1080 },
];
const THEMES = ["light", "dark"] as const;

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

async function assertAccessible(page: Page, name: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(found, [], name);
}

for (const { name, path, as, ready } of VIEWS) {
  for (const colorScheme of THEMES) {
    test(`the view ${name} fits every window and can be used by everybody, ${colorScheme}`, async () => {
      await using visitor = await visit(browser, as ? path.replace(/#.*/, "") : path, { colorScheme });
      const { page, problems } = visitor;
      if (as) {
        await signIn(page, as);
        if (name !== "wrong-page") await connected(page);
        await page.goto(new URL(path, page.url()).href);
      }
      await ready(page);
      for (const viewport of WIDTHS) {
        await page.setViewportSize(viewport);
        await assertFits(page);
        const picture = `${name}-${viewport.width}-${colorScheme}`;
        await assertAccessible(page, picture);
        await keepScreenshot(page, picture);
      }
      assert.deepEqual(problems, []);
    });
  }
}
