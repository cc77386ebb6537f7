import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { weigh, type BuiltFile } from "./page-weight.ts";

const file = (content: string, ...loads: string[]): BuiltFile => ({ content, loads });
const size = (content: string): number => gzipSync(content).length;

test("a page weighs what it can reach, each file once", () => {
  const files = new Map([
    ["entry.js", file("entry", "shared.js", "later.js", "entry.css")],
    ["shared.js", file("shared", "deep.js", "later.js")],
    ["later.js", file("later", "shared.js", "later.css")],
    ["deep.js", file("deep")],
    ["entry.css", file("entry-style")],
    ["later.css", file("later-style")],
    ["icon.png", file("icon")],
    ["another-page.js", file("another page", "shared.js")],
  ]);
  const { bytes, files: weighed } = weigh(files, ["entry.js", "icon.png"]);
  const expected = ["entry", "shared", "later", "deep", "entry-style", "later-style", "icon"];
  assert.equal(bytes, expected.reduce((sum, content) => sum + size(content), 0));
  assert.equal(weighed.length, expected.length);
  assert.ok(!weighed.some(({ name }) => name === "another-page.js"));
});

test("the heaviest file is named first", () => {
  const long = Array.from({ length: 200 }, (_, index) => index * 7919).join();
  const { files } = weigh(new Map([["a.js", file("a", "b.js")], ["b.js", file(long)]]), ["a.js"]);
  assert.deepEqual(files.map(({ name }) => name), ["b.js", "a.js"]);
});

test("what is loaded but was not built is no lighter for that", () => {
  assert.throws(() => weigh(new Map([["entry.js", file("entry", "gone.js")]]), ["entry.js"]), /gone\.js/);
});
