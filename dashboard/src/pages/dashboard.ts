import DashboardPage from "./DashboardPage.svelte";
import { show } from "./show.ts";

show(DashboardPage);
