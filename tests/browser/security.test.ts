import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ADMIN, connected, keepScreenshot, launch, newDoctor, signIn, visit } from "./browser.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

for (const path of ["/", "/doctor", "/websocket_test.html"]) {
  test(`${path} turns no text into HTML, and runs no script but its own`, async () => {
    await using visitor = await visit(browser, path);
    const { page, problems } = visitor;
    await page.getByRole("heading").first().waitFor();
    assert.deepEqual(problems, []);

    const assigning = await page.evaluate(() => {
      try {
        document.body.innerHTML = "<b>text</b>";
        return "taken";
      } catch (error) {
        return String(error);
      }
    });
    assert.match(assigning, /TrustedHTML/);
    assert.equal(await page.locator("b").count(), 0);

    // As if somebody had found a way to smuggle it into what the server sends.
    await page.route(page.url(), async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace("<head>", "<head><script>window.smuggled = true</script>");
      assert.match(body, /smuggled/);
      await route.fulfill({ response, body });
    });
    problems.length = 0;
    await page.reload();
    await page.getByRole("heading").first().waitFor();
    assert.equal(await page.evaluate(() => "smuggled" in window), false);
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0] ?? "", /inline script violates the following Content Security Policy/);
  });
}

const MARKUP = "<img src=x onerror=alert(1)>";
const NAME = `Dr. ${MARKUP} ${MARKUP}`;

/** Whether MARKUP is nowhere more than text on the page; where it ran, the visit has a problem. */
async function assertNoMarkup(page: Page): Promise<void> {
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.equal(await page.locator("[onerror]").count(), 0);
}

test("a doctor whose name is markup is shown by that name everywhere", async () => {
  await using admin = await visit(browser, "/");
  await signIn(admin.page, ADMIN);
  await connected(admin.page);
  const account = await newDoctor({
    first_name: MARKUP,
    last_name: MARKUP,
    specialization: MARKUP,
    consultation_hours: MARKUP,
  });

  await using doctor = await visit(browser, "/doctor");
  await signIn(doctor.page, account.email, account.password);
  await doctor.page.getByText("On duty", { exact: true }).waitFor();
  await connected(doctor.page);
  assert.equal(await doctor.page.getByRole("heading", { level: 2 }).first().textContent(), NAME);
  await doctor.page.getByText(`${MARKUP}, General Hospital`, { exact: true }).waitFor();
  assert.equal(await doctor.page.title(), "Rollcall for doctors");

  const popUp = admin.page.getByRole("log").locator(".alert").filter({ hasText: `${NAME} logged in` });
  await popUp.waitFor();
  await assertNoMarkup(admin.page);
  const notifications = admin.page.getByRole("region", { name: "Doctor Login/Logout Notifications" });
  const entry = notifications.getByRole("listitem").filter({ hasText: NAME });
  await entry.filter({ hasText: "logged in" }).first().waitFor();
  const row = admin.page.getByRole("region", { name: "Doctors" }).getByRole("row").filter({ hasText: NAME });
  // A run before this one on the same database has left a doctor of that name off duty.
  const onDuty = row.filter({ hasText: "On duty" });
  await onDuty.getByRole("cell", { name: MARKUP, exact: true }).waitFor();

  const available = doctor.page.getByRole("switch", { name: "Available for consultation" });
  const was = (await available.getAttribute("aria-checked")) === "true";
  await available.click();
  await doctor.page.getByRole("switch", { checked: !was }).waitFor();
  await onDuty.getByText(was ? "Busy" : "Available", { exact: true }).waitFor();
  await keepScreenshot(admin.page, "dashboard-markup");
  await keepScreenshot(doctor.page, "doctor-markup");
  await assertNoMarkup(doctor.page);
  assert.match(await admin.page.title(), /^(\(\d+\) )?Rollcall$/);
  const places = { History: "main li", Users: "main tbody th", "Wall screen": "main .name" };
  for (const [view, place] of Object.entries(places)) {
    await admin.page.getByRole("link", { name: view }).click();
    await admin.page.locator(place).filter({ hasText: `${MARKUP} ${MARKUP}` }).first().waitFor();
    await assertNoMarkup(admin.page);
  }
  await admin.page.getByRole("link", { name: "Back to the board" }).click();

  await doctor.page.getByRole("button", { name: "Sign out" }).click();
  await doctor.page.getByText("You are signed out.").waitFor();
  await entry.filter({ hasText: "logged out" }).first().waitFor();
  await admin.page.reload();
  await connected(admin.page);
  await entry.first().waitFor();
  await assertNoMarkup(admin.page);
  assert.deepEqual(admin.problems, []);
  assert.deepEqual(doctor.problems, []);
});
