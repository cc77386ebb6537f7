import { mount } from "svelte";
import "../style.css";
import DashboardPage from "./DashboardPage.svelte";

mount(DashboardPage, { target: document.body });
