import { mount } from "svelte";
import "../style.css";
import DoctorPage from "./DoctorPage.svelte";

mount(DoctorPage, { target: document.body });
