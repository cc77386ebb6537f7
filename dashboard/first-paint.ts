// The HTML of a page paints something by itself: the splash, before any script or stylesheet has arrived.
// A stylesheet in the head would hold that back, so they stand behind the splash. Browsers begin to load them just as
// early, and run no script before they are there.

import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { Plugin } from "vite";

const STYLESHEET = /\s*<link rel="stylesheet"[^>]*>/g;

/** The document with `splash` as the first thing of its body and its stylesheets as the last. */
export function paintingFirst(html: string, splash: string): string {
  const stylesheets = html.match(STYLESHEET) ?? [];
  const [head, body, ...more] = html.replace(STYLESHEET, "").split("<body>\n");
  if (head === undefined || body === undefined || more.length > 0) throw new Error("a page has one <body>");
  return `${head}<body>\n${splash}${body}`.replace("</body>", () => `  ${stylesheets.join("").trimStart()}\n  </body>`);
}

/** `pages` are the names of HTML files. */
export function firstPaint(pages: readonly string[]): Plugin {
  const splash = readFileSync(resolve(import.meta.dirname, "splash.svg"), "utf8");
  return {
    name: "first-paint",
    transformIndexHtml: {
      order: "post",
      handler: (html, { filename }) => (pages.includes(basename(filename)) ? paintingFirst(html, splash) : html),
    },
  };
}
