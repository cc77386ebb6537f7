// Which view of the dashboard is shown. It stands behind the `#` of the address, so that the way back, bookmarks and
// reloading work, and the page with its live connection stays.

export const VIEWS = ["board", "history", "connections", "users", "account", "wall"] as const;

export type View = (typeof VIEWS)[number];

class Route {
  #view = $state<View>(viewOf(location.hash));

  constructor() {
    addEventListener("hashchange", () => (this.#view = viewOf(location.hash)));
  }

  get view(): View {
    return this.#view;
  }
}

export const route = new Route();

export function linkTo(view: View): string {
  return `#${view === "board" ? "" : view}`;
}

function viewOf(hash: string): View {
  return VIEWS.find((view) => linkTo(view) === hash) ?? "board";
}
