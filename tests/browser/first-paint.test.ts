import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page, Request } from "playwright-core";
import { keepScreenshot, launch, ROLLCALL_URL, visit } from "./browser.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const PAGES = [
  { path: "/", ready: "Sign in", asksWho: true },
  { path: "/doctor", ready: "Sign in", asksWho: true },
  { path: "/websocket_test.html", ready: "Connect", asksWho: false },
];

/** What a page needs before it can show its first view. */
const isNeeded = (path: string): boolean => path.startsWith("/assets/") || path.startsWith("/api/");

interface Held {
  /** What was asked for so far, by path. */
  asked: string[];
  /** Lets through what matches, and everything like it from now on. */
  release: (matches: (request: Request) => boolean) => void;
}

/** Opens `path` and holds back every answer but the document's. */
async function open(page: Page, path: string): Promise<Held> {
  const asked: string[] = [];
  const free: ((request: Request) => boolean)[] = [];
  let look: (() => void)[] = [];
  await page.route("**/*", async (route, request) => {
    if (request.isNavigationRequest()) return route.continue();
    const { pathname } = new URL(request.url());
    if (isNeeded(pathname)) asked.push(pathname);
    while (!free.some((matches) => matches(request))) await new Promise<void>((resolve) => look.push(resolve));
    await route.continue().catch(() => {});
  });
  const document = await page.goto(new URL(path, ROLLCALL_URL).href, { waitUntil: "commit" });
  assert.equal(document?.request().redirectedFrom(), null, "a redirect is a round trip");
  const release = (matches: (request: Request) => boolean): void => {
    free.push(matches);
    const waiting = look;
    look = [];
    waiting.forEach((again) => again());
  };
  return { asked, release };
}

async function painted(page: Page): Promise<void> {
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
}

/** Where the splash is, and in which colours it is seen. */
function splash(page: Page): Promise<{ box: number[]; colours: string[] }> {
  return page.evaluate(() => {
    const logo = document.querySelector("#splash rect");
    const name = document.querySelector("#splash text");
    if (!logo || !name) throw new Error("no splash");
    const { x, y, width, height } = logo.getBoundingClientRect();
    return {
      box: [x, y, width, height].map(Math.round),
      colours: [getComputedStyle(name).fill, getComputedStyle(document.body).backgroundColor],
    };
  });
}

for (const { path, ready, asksWho } of PAGES) {
  test(`${path} is painted from its HTML alone, which asks for everything else at once`, async () => {
    await using visitor = await visit(browser, "about:blank");
    const { page, problems } = visitor;
    const { asked, release } = await open(page, path);
    await painted(page);
    const { box } = await splash(page);
    const middle = (box[0] ?? 0) + (box[2] ?? 0) / 2;
    assert.ok(Math.abs(middle - 640) < 12, `the logo is in the middle of 1280 px: ${middle}`);
    assert.ok((box[1] ?? -1) > 100 && (box[1] ?? 0) < 500 && box[2] === 96, `the logo is seen: ${box.join()}`);
    await page.getByRole("img", { name: "Rollcall" }).waitFor();
    await keepScreenshot(page, `splash${path.replace(/\W/g, "-")}`);
    assert.equal(await page.getByRole("button").count(), 0);

    const fromHtml = asked.toSorted();
    assert.ok(fromHtml.some((name) => name.endsWith(".css")) && fromHtml.some((name) => name.endsWith(".js")));
    assert.equal(fromHtml.includes("/api/users/me/"), asksWho);
    release(() => true);
    await page.getByRole("button", { name: ready, exact: true }).waitFor();
    assert.deepEqual(asked.toSorted(), fromHtml, "nothing is found out later, and nothing asked twice");
    assert.equal(await page.locator("#splash").count(), 0);
    assert.deepEqual(problems, []);
  });
}

for (const colorScheme of ["dark", "light"] as const) {
  test(`the splash stays as it is until the page takes its place, on a ${colorScheme} device`, async () => {
    await using visitor = await visit(browser, "about:blank", { colorScheme });
    const { page, problems } = visitor;
    const { asked, release } = await open(page, "/doctor");
    await painted(page);
    const fromHtml = await splash(page);
    const light = "rgb(255, 255, 255)";
    assert.equal(fromHtml.colours[0] === light, colorScheme === "dark", "light letters on a dark device only");
    assert.equal(fromHtml.colours[1], "rgba(0, 0, 0, 0)", "the device's own background");
    await keepScreenshot(page, `splash-${colorScheme}`);

    const styles = asked.filter((name) => name.endsWith(".css")).length;
    release((request) => request.resourceType() === "stylesheet");
    await page.waitForFunction((count) => document.styleSheets.length === count, styles);
    assert.deepEqual(await splash(page), fromHtml, "its stylesheets move and colour nothing");

    // Every frame from here on shows the splash, or the page in its own colours.
    await page.evaluate(() => {
      const seen: string[] = [];
      Object.assign(globalThis, { seen });
      const look = (): void => {
        const { bsTheme } = document.documentElement.dataset;
        seen.push([document.getElementById("splash") ? "splash" : "page", bsTheme ?? "none"].join());
        requestAnimationFrame(look);
      };
      look();
    });
    release(() => true);
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    const frames = await page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
    assert.deepEqual([...new Set(frames)], ["splash,none", `page,${colorScheme}`]);
    assert.deepEqual(problems, []);
  });
}
