import assert from "node:assert/strict";
import { test } from "node:test";
import { programOf } from "./program.ts";

const WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
const BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)";
const WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
const ANDROID = "Mozilla/5.0 (Linux; Android 10; K)";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)";
const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";

for (const [userAgent, name, system, kind] of [
  [`${ANDROID} ${BLINK} Chrome/142.0.0.0 Mobile Safari/537.36`, "Chrome", "Android", "phone"],
  [`${ANDROID} ${BLINK} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36`, "Samsung Internet", "Android", "phone"],
  ["Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "Firefox", "Android", "phone"],
  [`${IPHONE} ${WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1`, "Safari", "iPhone", "phone"],
  [`${IPHONE} ${WEBKIT} CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1`, "Chrome", "iPhone", "phone"],
  [`${IPHONE} ${WEBKIT} FxiOS/145.0 Mobile/15E148 Safari/605.1.15`, "Firefox", "iPhone", "phone"],
  [`${IPHONE} ${WEBKIT} Mobile/15E148`, null, "iPhone", "phone"],
  [`${WINDOWS} ${BLINK} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0`, "Edge", "Windows", "computer"],
  [`${WINDOWS} ${BLINK} Chrome/142.0.0.0 Safari/537.36 OPR/125.0.0.0`, "Opera", "Windows", "computer"],
  [`${MAC} ${WEBKIT} Version/26.0 Safari/605.1.15`, "Safari", "Mac", "computer"],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${BLINK} Chrome/142.0.0.0 Safari/537.36`, "Chrome", "ChromeOS", "computer"],
  [`Mozilla/5.0 (X11; Linux x86_64) ${BLINK} HeadlessChrome/142.0.0.0 Safari/537.36`, "Chrome", "Linux", "computer"],
  ["curl/8.14.1", "curl", null, "other"],
  ["python-requests/2.32.5", "python-requests", null, "other"],
  ["node", "node", null, "other"],
  ["Mozilla/5.0", null, null, "other"],
  ["<img src=x onerror=alert(1)>", null, null, "other"],
  ["", null, null, "other"],
] as const) {
  test(`${userAgent || "nothing"} is ${name ?? "something"} on ${system ?? "something"}`, () => {
    assert.deepEqual(programOf(userAgent), { name, system, kind });
  });
}
