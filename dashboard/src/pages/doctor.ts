import { mount } from "svelte";
import "../style.css";
import { followTheme } from "../theme.svelte.ts";
import DoctorPage from "./DoctorPage.svelte";

followTheme();
mount(DoctorPage, { target: document.body });
