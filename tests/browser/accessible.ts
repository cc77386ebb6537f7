// What everybody must be able to perceive and use, as far as a program can tell.

import assert from "node:assert/strict";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";

/** Smallest side of what is pressed, in CSS pixels (WCAG 2.2, 2.5.8). */
const TARGET_PX = 24;

/** That nothing serious is wrong with the page as it is, in light and in dark. It stays in light. */
export async function assertAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.locator(`html[data-bs-theme=${colorScheme}]`).waitFor();
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`);
    assert.deepEqual(serious, [], `${page.url()} in ${colorScheme}`);
  }
  const small = await page.locator("main, dialog[open]").evaluateAll(
    (places, least) =>
      places
        .flatMap((place) => [...place.querySelectorAll("button, select, input:not([type=checkbox])")])
        .filter((target) => {
          const { width, height } = target.getBoundingClientRect();
          return width > 0 && Math.min(width, height) < least;
        })
        .map((target) => target.outerHTML),
    TARGET_PX,
  );
  assert.deepEqual(small, [], "too small to press");
}
