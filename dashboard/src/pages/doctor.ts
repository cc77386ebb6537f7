import DoctorPage from "./DoctorPage.svelte";
import { show } from "./show.ts";

show(DoctorPage);
