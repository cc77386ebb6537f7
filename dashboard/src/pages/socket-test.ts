import SocketTestPage from "./SocketTestPage.svelte";
import { show } from "./show.ts";

show(SocketTestPage);
