import { mount } from "svelte";
import "../style.css";
import { followTheme } from "../theme.svelte.ts";
import DashboardPage from "./DashboardPage.svelte";

followTheme();
mount(DashboardPage, { target: document.body });
