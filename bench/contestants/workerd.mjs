// Serves a Worker on workerd alone. `wrangler dev` puts a Worker of its own in front, and so does Miniflare on its main
// port: of a bare object that costs a sixth of the calls and half of the joins a second. Here the Worker has a socket of
// its own.
//
// usage: node workerd.mjs <wrangler.toml> <state directory> [name=value of a variable]...
//
// Prints `starting` when it starts the runtime, and `ready <address>` when the Worker listens; ends when standard input
// does.

import { subscribe } from "node:diagnostics_channel";
import { readdirSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions as readConfiguration } from "wrangler";

const [configuration, state, ...variables] = process.argv.slice(2);
const { main, workerOptions } = readConfiguration(configuration);
// The pages: with them every request passes a Worker of the platform's, which no contestant is to be measured by.
delete workerOptions.assets;

// What Miniflare does before is no part of a start: it copies every module into a configuration, which takes a tenth of a
// second for a megabyte, whatever is in it.
subscribe("child_process", () => console.log("starting"));

const runtime = new Miniflare(
  convertV4MiniflareOptions({
    ...workerOptions,
    bindings: { ...workerOptions.bindings, ...Object.fromEntries(variables.map((variable) => variable.split("="))) },
    name: "contestant",
    modulesRules: undefined,
    rootPath: dirname(main),
    modules: modules(main),
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    // As `wrangler dev --persist-to` keeps it, so that wrangler can prepare the database.
    resourcePersistencePath: `${state}/v3`,
    // Otherwise it asks the network at the start what a request's `cf` would be.
    cf: false,
    logRequests: false,
  }),
);

/** The Worker's modules, its entry point first. */
function modules(main) {
  const types = { ".js": "ESModule", ".wasm": "CompiledWasm" };
  const files = readdirSync(dirname(main)).map((file) => join(dirname(main), file));
  const others = files.filter((path) => path !== main && extname(path) in types);
  return [main, ...others].map((path) => ({ type: types[extname(path)], path }));
}

console.log(`ready ${(await runtime.unsafeGetDirectURL()).origin}`);
process.stdin.resume().on("end", async () => {
  await runtime.dispose();
  process.exit();
});
