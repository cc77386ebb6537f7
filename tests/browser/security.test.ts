import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, visit } from "./browser.ts";

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
