import { resolve } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { FileSystemIconLoader } from "unplugin-icons/loaders";
import icons from "unplugin-icons/vite";
import { defineConfig } from "vite";
import { firstPaint } from "./first-paint.ts";
import { pageWeight } from "./page-weight.ts";

const here = import.meta.dirname;

export default defineConfig({
  root: here,
  appType: "mpa",
  plugins: [
    svelte({ configFile: false }),
    // One component per icon that is imported: the icon font would be larger than everything else together.
    icons({
      compiler: "svelte",
      scale: 1,
      customCollections: { bi: FileSystemIconLoader(resolve(here, "../node_modules/bootstrap-icons/icons")) },
      iconCustomizer: (_collection, _icon, props) => {
        props["aria-hidden"] = "true";
      },
    }),
    firstPaint(["index.html", "doctor.html", "websocket_test.html"]),
    pageWeight({ bytes: 120_000, exempt: { api_docs: "Swagger UI, for those who write programs" } }),
  ],
  build: {
    target: "es2022",
    // The polyfill would be an inline script, which the content security policy refuses.
    modulePreload: { polyfill: false },
    // Swagger UI alone; only the page of the API's schema loads it.
    chunkSizeWarningLimit: 1_600,
    rolldownOptions: {
      input: {
        dashboard: resolve(here, "index.html"),
        doctor: resolve(here, "doctor.html"),
        socket_test: resolve(here, "websocket_test.html"),
        api_docs: resolve(here, "api-docs.html"),
      },
    },
  },
});
