import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse, type AST } from "svelte/compiler";

const SPOKEN = new Set(["alt", "aria-description", "aria-label", "aria-valuetext", "label", "placeholder", "title"]);

type Node = AST.SvelteNode | AST.Attribute;

/** The words in a component's markup that do not come from `text.ts`. */
function wordsIn(source: string): string[] {
  const words: string[] = [];
  const look = (node: unknown, inAttribute: string | null): void => {
    if (Array.isArray(node)) return node.forEach((child) => look(child, inAttribute));
    if (typeof node !== "object" || node === null || !("type" in node)) return;
    const { type } = node as Node;
    if (type === "Text") {
      const { data } = node as AST.Text;
      if (/\p{L}/u.test(data) && (inAttribute === null || SPOKEN.has(inAttribute))) words.push(data.trim());
      return;
    }
    const attribute = type === "Attribute" ? (node as AST.Attribute).name : inAttribute;
    for (const child of Object.values(node)) look(child, attribute);
  };
  look(parse(source, { modern: true }).fragment, null);
  return words;
}

test("every word of the pages is in one place", () => {
  const directory = import.meta.dirname;
  const components = globSync("**/*.svelte", { cwd: directory });
  assert.ok(components.length > 20);
  const strays = components.flatMap((file) =>
    wordsIn(readFileSync(join(directory, file), "utf8")).map((word) => `${file}: ${word}`),
  );
  assert.deepEqual(strays, []);
});

test("a stray word is found, in text and in what is spoken, but not in names of classes", () => {
  assert.deepEqual(wordsIn(`<p class="mb-0">Hello {name}</p>`), ["Hello"]);
  assert.deepEqual(wordsIn(`{#if a}<input placeholder="Email" id="email" />{/if}`), ["Email"]);
  assert.deepEqual(wordsIn(`<p class={["a", "b"]}>{t.app.name} · 12</p>`), []);
});
