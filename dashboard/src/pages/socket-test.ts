import { mount } from "svelte";
import "../style.css";
import SocketTestPage from "./SocketTestPage.svelte";

mount(SocketTestPage, { target: document.body });
