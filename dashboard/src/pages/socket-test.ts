import { mount } from "svelte";
import "../style.css";
import { followTheme } from "../theme.svelte.ts";
import SocketTestPage from "./SocketTestPage.svelte";

followTheme();
mount(SocketTestPage, { target: document.body });
