// What a page's script does first.

import { mount, type Component } from "svelte";
import "../style.css";
import { followTheme } from "../theme.svelte.ts";

/** Puts `Page` in the place of what the HTML alone has painted, within one frame. */
export function show(Page: Component): void {
  followTheme();
  mount(Page, { target: document.body });
  document.getElementById("splash")?.remove();
}
