// Light or dark: as the device has it, unless the person chose.

import { Preference } from "./preferences.svelte.ts";

export const THEMES = ["auto", "light", "dark"] as const;

export const theme = new Preference("theme", THEMES, "auto");

/** Keeps the page in the theme, from before anything is shown. */
export function followTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = (): void => {
    const chosen = theme.value === "auto" ? (dark.matches ? "dark" : "light") : theme.value;
    document.documentElement.dataset.bsTheme = chosen;
  };
  dark.addEventListener("change", show);
  $effect.root(() => {
    $effect(show);
  });
  show();
}
