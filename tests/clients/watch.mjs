// Prints every event of the hospital from now on as a line of JSON, until the session ends.
import { Watcher } from "./socket.ts";

const { ROLLCALL_URL, ROLLCALL_TOKEN, ROLLCALL_SINCE } = process.env;

async function ticket() {
  const headers = { Authorization: `Token ${ROLLCALL_TOKEN}`, "Content-Type": "application/json" };
  const body = JSON.stringify({ path: "/ws/doctor-status/" });
  const answer = await fetch(`${ROLLCALL_URL}/api/ws-ticket/`, { method: "POST", headers, body });
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(answer.statusText);
  return (await answer.json()).ticket;
}

new Watcher({
  origin: ROLLCALL_URL,
  ticket,
  since: ROLLCALL_SINCE && Number(ROLLCALL_SINCE),
  onMessage: (message) => {
    if ("doctor_id" in message) console.log(JSON.stringify(message));
    if (message.recovered === false) console.error(`missed some: /api/events/?since=${message.from}`);
  },
  onLink: (link) => {
    if (link.state === "stopped") throw new Error(`stopped: ${link.code} ${link.reason}`);
  },
});
