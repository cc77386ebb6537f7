// A short name for what somebody signed in with, from what it calls itself. Programs call themselves many things, and
// most of them each other: this knows those that people at a hospital have, and guesses nothing else.

export interface Program {
  /** `Firefox`, `curl`; null where it does not say, or nothing that is known here. */
  name: string | null;
  /** `Android`, `Windows`; null likewise. */
  system: string | null;
  kind: "phone" | "computer" | "other";
}

/** The first that fits: later ones are found in what earlier ones say of themselves, too. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b(HeadlessChrome|Chrome|CriOS)\//, "Chrome"],
  [/\bVersion\/[\d.]+ .*\bSafari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [RegExp, string, Program["kind"]])[] = [
  [/\biPhone\b/, "iPhone", "phone"],
  [/\biPad\b/, "iPad", "phone"],
  [/\bAndroid\b/, "Android", "phone"],
  [/\bWindows\b/, "Windows", "computer"],
  [/\bCrOS\b/, "ChromeOS", "computer"],
  [/\bMac(intosh| OS X)\b/, "Mac", "computer"],
  [/\bLinux\b/, "Linux", "computer"],
];

/** Programs that are no browser name themselves first: `curl/8.5.0`. */
const PRODUCT = /^([A-Za-z][\w.-]{0,30})(\/|$)/;

export function programOf(userAgent: string): Program {
  const browser = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1];
  const product = PRODUCT.exec(userAgent)?.[1];
  const [, system = null, kind = "other"] = SYSTEMS.find(([pattern]) => pattern.test(userAgent)) ?? [];
  return { name: browser ?? (product === "Mozilla" ? null : (product ?? null)), system, kind };
}
