import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import {
  client,
  connected,
  idOf,
  keepScreenshot,
  launch,
  NORTH_ADMIN,
  NORTH_DANA,
  signIn,
  visit,
} from "./browser.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("a doctor whose page is closed is logged out after the grace, also in a second stay on the same page", async () => {
  const [admin, dana] = [await client(NORTH_ADMIN), await idOf(NORTH_DANA)];
  await using dashboard = await visit(browser, "/");
  await signIn(dashboard.page, NORTH_ADMIN);
  await connected(dashboard.page);
  const entry = dashboard.page.getByRole("region", { name: "Doctor Login/Logout Notifications" }).getByRole("listitem");
  {
    await using doctor = await visit(browser, "/doctor");
    await signIn(doctor.page, NORTH_DANA);
    await connected(doctor.page);
    await doctor.page.getByText("On duty", { exact: true }).waitFor();
    // An administrator ends the stay; the page learns of it with its next call, and begins another.
    await admin("/api/users/logout-status/", { doctor_id: dana });
    await doctor.page.getByRole("switch", { name: "Available for consultation" }).click();
    await doctor.page.getByRole("button", { name: "Go on duty" }).click();
    await doctor.page.getByText("On duty", { exact: true }).waitFor();
    await connected(doctor.page);
    assert.deepEqual(doctor.problems, []);
  }
  const lost = entry.filter({ hasText: "Dr. Dana Fox logged out" }).filter({ hasText: "connection lost" });
  await lost.waitFor({ timeout: 60_000 });
  await keepScreenshot(dashboard.page, "dashboard-connection-lost");
  assert.deepEqual(dashboard.problems, []);
});
