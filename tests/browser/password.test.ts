import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { assertLooksRight } from "./accessible.ts";
import { ADMIN, assertFits, client, launch, newDoctor, signIn, visit } from "./browser.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const form = (page: Page) => page.getByRole("form", { name: "Choose your own password" });

async function change(page: Page, current: string, next: string, repeated = next): Promise<void> {
  await form(page).getByLabel("Temporary password").fill(current);
  await form(page).getByLabel("New password").fill(next);
  await form(page).getByLabel("Repeat it").fill(repeated);
  await form(page).getByRole("button", { name: "Change password" }).click();
}

/** Waits until the field says what is wrong with it, to somebody who sees the page and to somebody who hears it. */
async function assertAtFault(page: Page, label: string, problem: RegExp): Promise<void> {
  const field = form(page).getByLabel(label);
  await field.and(page.locator("[aria-invalid=true]:focus")).waitFor();
  const description = page.locator(`[id="${await field.getAttribute("aria-describedby")}"]`);
  assert.match((await description.textContent()) ?? "", problem);
  assert.equal(await page.locator("[aria-invalid=true]").count(), 1);
}

test("a temporary password opens nothing but the choice of another one", async () => {
  const admin = await client(ADMIN);
  const account = await newDoctor({
    first_name: "Rita",
    last_name: "Reset",
    specialization: "Surgery",
    consultation_hours: "",
  });
  const { temporary_password: temporary } = await admin<{ temporary_password: string }>(
    `/api/users/${account.id}/reset-password/`,
    {},
  );
  const own = `${account.password}-new`;
  await using doctor = await visit(browser, "/doctor", { viewport: { width: 320, height: 800 } });
  const { page, problems } = doctor;

  await signIn(page, account.email, temporary);
  await form(page).waitFor();
  assert.equal(await page.getByRole("switch").count(), 0);
  assert.equal(await form(page).getByLabel("Account").inputValue(), account.email);
  await assertFits(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out.").waitFor();

  await signIn(page, account.email, temporary);
  await form(page).waitFor();
  await page.reload();
  await change(page, temporary, own, `${own}?`);
  await assertAtFault(page, "Repeat it", /not the same/);
  await assertLooksRight(page, "change-password");
  await page.goto(new URL("/", page.url()).href);
  await form(page).waitFor();
  assert.deepEqual(problems, []);

  await change(page, `${temporary}?`, own);
  await assertAtFault(page, "Temporary password", /\w/);
  assert.equal(problems.length, 1, "the 400 that Chromium logs");

  await page.goto(new URL("/doctor", page.url()).href);
  await change(page, temporary, own);
  await page.getByRole("button", { name: "Go on duty" }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Go on duty" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out.").waitFor();
  await signIn(page, account.email, own);
  await page.getByText("On duty", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out.").waitFor();
  assert.equal(problems.length, 1, problems.join("\n"));
});
