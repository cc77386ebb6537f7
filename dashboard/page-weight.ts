// What a page may weigh: a doctor opens it on a phone, in a lift.
// Counted is everything that the page can ever load: its script, whatever that imports now or later, and their styles,
// from the graph of the bundle; and the pictures of public/, which any page may show, with those of public/icons/ that
// are in a folder of the page's name.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/** A file of the bundle, as far as its weight goes. */
export interface BuiltFile {
  content: string | Uint8Array;
  /** Other files of the bundle that it may load. */
  loads: readonly string[];
}

export interface PageWeight {
  /** Gzipped, of all files. */
  bytes: number;
  /** Heaviest first. */
  files: readonly { name: string; bytes: number }[];
}

const PICTURES = new Set([".svg", ".png", ".ico", ".webp"]);

/** The weight of `names` and of everything that can be reached from them, each file once. */
export function weigh(files: ReadonlyMap<string, BuiltFile>, names: readonly string[]): PageWeight {
  const reached = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    const file = files.get(name);
    // A file that nobody weighed would make the page look lighter than it is.
    if (!file) throw new Error(`${name} is loaded, but is not in the bundle`);
    waiting.push(...file.loads);
  }
  const weighed = [...reached]
    .map((name) => ({ name, bytes: gzipSync(files.get(name)?.content ?? "").length }))
    .sort((a, b) => b.bytes - a.bytes);
  return { bytes: weighed.reduce((sum, { bytes }) => sum + bytes, 0), files: weighed };
}

export interface Limit {
  /** Gzipped. */
  bytes: number;
  /** Pages without a limit, by the names of their inputs, and why. */
  exempt: Readonly<Record<string, string>>;
}

/** Prints what each page weighs, and fails the build where it is too much. */
export function pageWeight({ bytes: limit, exempt }: Limit): Plugin {
  let publicDir = "";
  return {
    name: "page-weight",
    apply: "build",
    enforce: "post",
    configResolved(config) {
      publicDir = config.publicDir;
    },
    generateBundle: {
      // When everything else is done, and nothing is written yet: pages that are too heavy are not left to be served.
      order: "post",
      handler(_options, bundle) {
        const files = new Map(Object.entries(bundle).map(([name, output]) => [name, built(output)]));
        const tooHeavy: string[] = [];
        for (const output of Object.values(bundle)) {
          if (output.type !== "chunk" || !output.isEntry) continue;
          const page = basename(output.facadeModuleId ?? output.name);
          const pictures = new Map([...picturesIn(publicDir), ...picturesIn(publicDir, `icons/${output.name}`)]);
          for (const [name, content] of pictures) files.set(name, { content, loads: [] });
          const weight = weigh(files, [output.fileName, ...pictures.keys()]);
          const said = `${page}: ${count(weight.bytes)} bytes of script, style and icons, gzipped`;
          const why = exempt[output.name];
          this.info(why === undefined ? `${said}, of ${count(limit)}` : `${said}; exempt: ${why}`);
          if (why === undefined && weight.bytes > limit) tooHeavy.push(`${said}\n${listed(weight)}`);
        }
        if (tooHeavy.length > 0) this.error(`over the limit of ${count(limit)} bytes\n${tooHeavy.join("\n")}`);
      },
    },
  };
}

function built(output: Rolldown.OutputAsset | Rolldown.OutputChunk): BuiltFile {
  if (output.type === "asset") return { content: output.source, loads: [] };
  const { imports, dynamicImports, viteMetadata } = output;
  const styles = [...(viteMetadata?.importedCss ?? []), ...(viteMetadata?.importedAssets ?? [])];
  return { content: output.code, loads: [...imports, ...dynamicImports, ...styles] };
}

/** By their names within public/. */
function picturesIn(publicDir: string, folder = ""): Map<string, Uint8Array> {
  const path = join(publicDir, folder);
  const names = existsSync(path) ? readdirSync(path).filter((name) => PICTURES.has(extname(name))) : [];
  return new Map(names.map((name) => [join(folder, name), readFileSync(join(path, name))]));
}

function listed({ files }: PageWeight): string {
  return files.map(({ name, bytes }) => `  ${count(bytes).padStart(9)} ${name}`).join("\n");
}

function count(bytes: number): string {
  return bytes.toLocaleString("en");
}
