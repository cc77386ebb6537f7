// What everybody must be able to perceive and use, as far as a program can tell: in every width and theme.

import assert from "node:assert/strict";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { assertFits, keepScreenshot } from "./browser.ts";

const WINDOWS = [
  { width: 320, height: 640 },
  { width: 768, height: 1024 },
  { width: 1920, height: 1080 },
];
const THEMES = ["light", "dark"] as const;

/** Smallest side of what is pressed, in CSS pixels (WCAG 2.2, 2.5.8). */
const TARGET_PX = 24;

/**
 * That the page as it is fits every window, and axe finds nothing wrong with it in either theme; a picture of each is
 * kept as `name-<width>-<theme>`.
 */
export async function assertLooksRight(page: Page, name: string): Promise<void> {
  const before = page.viewportSize();
  for (const viewport of WINDOWS) {
    await page.setViewportSize(viewport);
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.locator(`html[data-bs-theme=${colorScheme}]`).waitFor();
      await assertFits(page);
      const picture = `${name}-${viewport.width}-${colorScheme}`;
      await assertAccessible(page, picture);
      await keepScreenshot(page, picture);
    }
    await assertTargets(page);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  if (before) await page.setViewportSize(before);
}

async function assertAccessible(page: Page, picture: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.failureSummary).join("\n")}`);
  assert.deepEqual(found, [], picture);
}

async function assertTargets(page: Page): Promise<void> {
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
