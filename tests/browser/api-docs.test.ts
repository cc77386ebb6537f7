import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ADMIN, ANN, assertFits, keepScreenshot, launch, ROLLCALL_URL, signIn, tokenOf, visit } from "./browser.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const whoAmI = (page: Page) =>
  page.locator(".opblock-get").filter({ has: page.locator('[data-path^="/api/users/me"]') });

/** Asks who is signed in, and waits for an answer with `email` in it. */
async function execute(page: Page, email: string): Promise<void> {
  await whoAmI(page).getByRole("button", { name: "Execute" }).click();
  await whoAmI(page).locator(".live-responses-table").getByText(`"${email}"`).waitFor();
}

test("the schema can be read and tried, with the browser's session or with a token", async () => {
  await using visitor = await visit(browser, "/");
  const { page, problems } = visitor;
  await signIn(page, ADMIN);
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== ROLLCALL_URL.origin) elsewhere.push(url.href);
  });

  await page.goto(new URL("/api/docs/", ROLLCALL_URL).href);
  await whoAmI(page).waitFor();
  await assertFits(page);
  await keepScreenshot(page, "api-docs");
  await whoAmI(page).locator(".opblock-summary-control").click();
  await whoAmI(page).getByRole("button", { name: "Try it out" }).click();
  await execute(page, ADMIN);
  await keepScreenshot(page, "api-docs-answer");

  await page.getByRole("button", { name: "Authorize", exact: true }).first().click();
  const dialog = page.locator(".modal-ux");
  await dialog.getByRole("textbox").first().fill(`Token ${await tokenOf(ANN)}`);
  await dialog.getByRole("button", { name: "Apply credentials" }).first().click();
  await dialog.getByRole("button", { name: "Close" }).first().click();
  await execute(page, ANN);

  assert.deepEqual(elsewhere, []);
  assert.deepEqual(problems, []);
});

test("the schemas that the page links to are there", async () => {
  await using visitor = await visit(browser, "/api/docs/");
  const { page, problems } = visitor;
  await whoAmI(page).waitFor();
  for (const name of ["this schema", "messages of the WebSockets"]) {
    const href = await page.getByRole("link", { name }).getAttribute("href");
    const answer = await page.request.get(new URL(href ?? "", page.url()).href);
    assert.ok(answer.ok(), `${href}: ${answer.status()}`);
    assert.equal(typeof (await answer.json()), "object");
  }
  assert.deepEqual(problems, []);
});

test("the page of the API has no Trusted Types, but runs no script but its own either", async () => {
  await using visitor = await visit(browser, "/api/docs/");
  const { page, problems } = visitor;
  await whoAmI(page).waitFor();
  assert.deepEqual(problems, []);
  await page.evaluate(() => {
    const box = document.createElement("div");
    box.innerHTML = '<img src="data:," onerror="window.smuggled = true">';
    document.body.append(box);
  });
  await page.waitForFunction(() => document.querySelector<HTMLImageElement>("img[onerror]")?.complete);
  assert.equal(await page.evaluate(() => "smuggled" in window), false);
  assert.match(problems.join("\n"), /Content Security Policy/);
});
