// The client library, dashboard/src/socket.ts, by itself: in Node, against the real Worker.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import {
  OwnConnection,
  Watcher,
  type BoardMessage,
  type Link,
  type OwnMessage,
  type WatcherOptions,
} from "../../dashboard/src/socket.ts";
import type { DoctorEvent, EventPage } from "../../dashboard/src/wire.ts";
import { ADMIN, ANN, client, newDoctor, ROLLCALL_URL, tokenOf, USER } from "./browser.ts";
import { wireTo, type Wire } from "./cut-wire.ts";

const WATCHERS = "/ws/doctor-status/";

/** Every WebSocket that was opened, and what was sent on it. */
const opened: RecordedSocket[] = [];
/** What Node's WebSocket sends beside: a page's cookie goes by itself. */
let headers: Record<string, string> = {};

class RecordedSocket extends WebSocket {
  sent: string[] = [];

  constructor(url: string | URL, protocols?: string | string[]) {
    // Node's own addition to what the types of browsers have.
    super(url, { protocols, headers } as unknown as string[]);
    opened.push(this);
  }

  override send(text: string): void {
    this.sent.push(text);
    super.send(text);
  }
}

const real = { setTimeout, setInterval, now: Date.now };
const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => real.setTimeout(resolve, milliseconds));

/**
 * Lets the library's time pass `factor` times as fast, until the end of the block. Node's `mock.timers` would be exact,
 * but it takes the timers that fetch left from an earlier test for the present one's.
 */
class Clock {
  readonly #began = real.now();
  readonly #factor: number;

  constructor(factor: number) {
    this.#factor = factor;
    type Set = (run: () => void, after: number, ...rest: unknown[]) => unknown;
    const faster =
      (set: Set): Set =>
      (run, after, ...rest) =>
        set(run, after / factor, ...rest);
    globalThis.setTimeout = faster(real.setTimeout as Set) as typeof setTimeout;
    globalThis.setInterval = faster(real.setInterval as Set) as typeof setInterval;
    Date.now = () => this.#began + this.passed;
  }

  /** Milliseconds of the library's time. */
  get passed(): number {
    return (real.now() - this.#began) * this.#factor;
  }

  [Symbol.dispose](): void {
    [globalThis.setTimeout, globalThis.setInterval, Date.now] = [real.setTimeout, real.setInterval, real.now];
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const patience = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < patience, `not in time: ${what}`);
    await sleep(5);
  }
}

let admin: Awaited<ReturnType<typeof client>>;
let doctor: number;
/** What the library uses. */
const NodeSocket = globalThis.WebSocket;

before(async () => {
  admin = await client(ADMIN);
  // Of its own, so that no other test knows the doctor; and before anybody watches.
  const name = { first_name: "Sam", last_name: "Socket", specialization: "Cardiology", consultation_hours: "" };
  doctor = (await newDoctor(name)).id;
  globalThis.WebSocket = RecordedSocket;
});
afterEach(() => {
  opened.length = 0;
});
after(() => {
  globalThis.WebSocket = NodeSocket;
});

/** The doctor comes and goes, or goes and comes: two events, and the latest seq. */
async function twoEvents(): Promise<number> {
  let latest = 0;
  for (const action of ["login", "logout"]) {
    const answer = await admin<{ changed: boolean; seq: number }>(`/api/users/${action}-status/`, {
      doctor_id: doctor,
    });
    assert.ok(answer.changed);
    latest = answer.seq;
  }
  return latest;
}

/** What was recorded after `since`, as watchers are to hear it: other tests' doctors may still be coming and going. */
async function history(since: number): Promise<DoctorEvent[]> {
  const { events } = await admin<EventPage>(`/api/events/?since=${since}&limit=1000`);
  return events.map(({ actor_id: _, ...event }) => event);
}

async function ticket(path = WATCHERS, person = admin): Promise<string> {
  return (await person<{ ticket: string }>("/api/ws-ticket/", { path })).ticket;
}

/** Somebody who writes down all that a client told, until the end of the block. */
class Listener<Message extends { type: string }> {
  messages: Message[] = [];
  links: Link[] = [];
  onMessage = (message: Message): void => void this.messages.push(message);
  onLink = (link: Link): void => void this.links.push(link);

  get states(): string[] {
    return this.links.map(({ state }) => state);
  }

  get types(): string[] {
    return this.messages.map(({ type }) => type);
  }

  /** The nth time that it is connected. */
  async connected(times = 1): Promise<void> {
    const count = (): number => this.states.filter((state) => state === "connected").length;
    await until(`connected ${times} times`, () => count() === times);
  }

  async is(state: Link["state"]): Promise<void> {
    await until(state, () => this.links.at(-1)?.state === state);
  }
}

class PersonsListener extends Listener<OwnMessage> {
  connection: OwnConnection;

  constructor(wire: Wire, email: string, person: typeof admin) {
    super();
    const { onMessage, onLink } = this;
    this.connection = new OwnConnection(email, {
      origin: wire.url,
      ticket: () => ticket("/ws/connect/", person),
      onMessage,
      onLink,
    });
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}

class WatchersListener extends Listener<BoardMessage> {
  watcher: Watcher;

  constructor(wire: Wire, options: Partial<WatcherOptions> = {}) {
    super();
    const { onMessage, onLink } = this;
    this.watcher = new Watcher({ origin: wire.url, ticket: () => ticket(), onMessage, onLink, ...options });
  }

  get events(): DoctorEvent[] {
    return this.messages.filter((message) => "doctor_id" in message);
  }

  async hears(seq: number): Promise<void> {
    await until(`event ${seq}`, () => this.messages.some((message) => "doctor_id" in message && message.seq === seq));
  }

  /** The position of the first message, which is a snapshot. */
  async snapshot(): Promise<number> {
    await until("a snapshot", () => this.messages.length > 0);
    const [first] = this.messages;
    assert.ok(first?.type === "snapshot", `${first?.type}`);
    return first.seq;
  }

  [Symbol.dispose](): void {
    this.watcher.close();
  }
}

test("a watcher hears a snapshot first, then every event, in order", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  using listener = new WatchersListener(wire);
  const start = await listener.snapshot();
  const latest = await twoEvents();
  await listener.hears(latest);
  assert.deepEqual(listener.events, await history(start));
  assert.deepEqual(listener.states, ["connecting", "connected"]);
  assert.equal(listener.types.lastIndexOf("snapshot"), 0);
});

test("a watcher whose wire is cut comes back and hears exactly what it missed, once", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  using listener = new WatchersListener(wire);
  const start = await listener.snapshot();
  await listener.hears(await twoEvents());
  wire.cut();
  await listener.is("waiting");
  await twoEvents();
  const latest = await twoEvents();
  wire.mend();
  await listener.connected(2);
  await listener.hears(latest);
  await listener.hears(await twoEvents());
  assert.deepEqual(listener.events, await history(start));
  assert.equal(listener.types.lastIndexOf("snapshot"), 0, "it resumed");
  assert.equal(listener.types.filter((type) => type === "resumed").length, 1);
});

test("a watcher that says since when hears that instead of a snapshot", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  const since = (await twoEvents()) - 1;
  using listener = new WatchersListener(wire, { since });
  await until("resumed", () => listener.types.includes("resumed"));
  assert.deepEqual(listener.events, await history(since));
  assert.ok(!listener.types.includes("snapshot"));
  await listener.hears(await twoEvents());
});

test("a watcher whose position means nothing gets a snapshot, and goes on from there", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  using listener = new WatchersListener(wire, { since: 1_000_000_000 });
  await until("a snapshot", () => listener.types.includes("snapshot"));
  assert.deepEqual(listener.types.slice(0, 2), ["resumed", "snapshot"]);
  const [resumed, snapshot] = listener.messages;
  assert.ok(resumed?.type === "resumed" && !resumed.recovered && snapshot?.type === "snapshot");
  await listener.hears(await twoEvents());
  wire.cut();
  await listener.is("waiting");
  const latest = await twoEvents();
  wire.mend();
  await listener.hears(latest);
  assert.deepEqual(listener.events, await history(snapshot.seq));
});

test("a watcher can start over", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  using listener = new WatchersListener(wire);
  await listener.snapshot();
  listener.watcher.startOver();
  await until("another snapshot", () => listener.types.filter((type) => type === "snapshot").length === 2);
  assert.deepEqual(listener.states, ["connecting", "connected", "connecting", "connected"]);
  await until("one WebSocket", () => opened.filter(({ readyState }) => readyState === WebSocket.OPEN).length === 1);
});

test("a watcher stops when its session ends, and does not try again", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  const own = { Authorization: `Token ${await tokenOf(ADMIN)}`, "Content-Type": "application/json" };
  const post = (path: string, body: object): Promise<Response> =>
    fetch(new URL(path, ROLLCALL_URL), { method: "POST", headers: own, body: JSON.stringify(body) });
  const ownTicket = async (): Promise<string> => {
    const answer = await post("/api/ws-ticket/", { path: WATCHERS });
    return ((await answer.json()) as { ticket: string }).ticket;
  };
  using listener = new WatchersListener(wire, { ticket: ownTicket });
  await listener.snapshot();
  await post("/api/users/logout/", {});
  await listener.is("stopped");
  assert.deepEqual(listener.links.at(-1), { state: "stopped", code: 4002, reason: "The session ended" });
  listener.watcher.check();
  await sleep(1_100);
  assert.deepEqual([listener.states.at(-1), opened.length], ["stopped", 1]);
});

test("a watcher that may not watch stops", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  headers = { Cookie: `rollcall_session=${await tokenOf(ANN)}`, Origin: wire.url.origin };
  using listener = new WatchersListener(wire, { ticket: undefined } as object);
  headers = {};
  await listener.is("stopped");
  assert.deepEqual(listener.states, ["connecting", "stopped"], "it was never connected");
  const last = listener.links.at(-1);
  assert.equal(last?.state === "stopped" && last.code, 4003);
  assert.deepEqual(listener.messages, []);
});

test("a watcher stops where no ticket is to be had", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  using listener = new WatchersListener(wire, { ticket: () => Promise.resolve(null) });
  await listener.is("stopped");
  assert.deepEqual([listener.states, opened.length], [["connecting", "stopped"], 0]);
});

test("a watcher whose ticket fails waits and asks again", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  let asked = 0;
  using listener = new WatchersListener(wire, {
    ticket: () => (++asked > 1 ? ticket() : Promise.reject(new Error("no network"))),
  });
  await listener.snapshot();
  assert.deepEqual(listener.states, ["connecting", "waiting", "connecting", "connected"]);
  assert.deepEqual(listener.links[2], { state: "connecting", attempt: 1 });
});

test("a ticket that comes too late opens nothing", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  let hand = (_: string): void => {};
  const listener = new WatchersListener(wire, { ticket: () => new Promise((resolve) => void (hand = resolve)) });
  listener.watcher.close();
  hand(await ticket());
  await sleep(50);
  assert.equal(opened.length, 0);
});

test("a watcher that waits tries at once when asked to", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  using listener = new WatchersListener(wire);
  await listener.snapshot();
  // Time all but stands still: it would wait for minutes.
  using _ = new Clock(1e-3);
  wire.cut();
  await listener.is("waiting");
  wire.mend();
  listener.watcher.check();
  await listener.connected(2);
});

test("a silent connection is noticed 45 seconds after a ping, and the next one resumes", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  using clock = new Clock(20);
  using listener = new WatchersListener(wire);
  const start = await listener.snapshot();
  const connected = clock.passed;
  wire.freeze();
  await until("a ping", () => opened[0]?.sent.includes("ping") ?? false);
  const pinged = clock.passed;
  assert.ok(Math.abs(pinged - connected - 30_000) < 10_000, `a ping after ${pinged - connected} ms`);
  const events = twoEvents();
  await until("given up", () => listener.states.includes("waiting"));
  const silent = clock.passed - pinged;
  assert.ok(Math.abs(silent - 45_000) < 10_000, `given up after ${silent} ms`);
  wire.mend();
  await listener.connected(2);
  await listener.hears(await events);
  assert.deepEqual(listener.events, await history(start));
});

test("a connection that answers pings is kept", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  const ready = await ticket();
  using _ = new Clock(30);
  using listener = new WatchersListener(wire, { ticket: () => Promise.resolve(ready) });
  await listener.snapshot();
  let pongs = 0;
  opened[0]?.addEventListener("message", ({ data }) => (pongs += Number(data === "pong")));
  await until("90 seconds", () => pongs === 3);
  assert.deepEqual([listener.states, listener.types], [["connecting", "connected"], ["snapshot"]]);
});

test("a silent connection is noticed within 5 seconds where somebody waits, however often they ask", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  using clock = new Clock(20);
  using listener = new WatchersListener(wire);
  await listener.snapshot();
  wire.freeze();
  // Nobody waited for this one.
  await until("a ping", () => opened[0]?.sent.includes("ping") ?? false);
  const asked = clock.passed;
  while (listener.states.at(-1) === "connected") {
    listener.watcher.check();
    await sleep(20);
    assert.ok(clock.passed - asked < 15_000, "still connected");
  }
  assert.ok(clock.passed - asked >= 5_000, "too soon");
});

test("a server that accepts and then says nothing is given up after 15 seconds", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  wire.freeze();
  using clock = new Clock(20);
  using listener = new WatchersListener(wire);
  await until("given up", () => listener.states.includes("waiting"));
  assert.ok(clock.passed >= 15_000 && clock.passed < 25_000, `${clock.passed}`);
  assert.equal(opened.length, 1);
  wire.mend();
  await listener.snapshot();
});

test("a watcher acknowledges what it has taken in: a snapshot at once, then some time within ten seconds", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  using listener = new WatchersListener(wire);
  const acks = (): string[] => opened.flatMap(({ sent }) => sent);
  const ack = (seq: number): string => JSON.stringify({ type: "ack", seq });
  {
    // As the timers of a hidden page, which run now and then only.
    using _ = new Clock(1e-3);
    const start = await listener.snapshot();
    assert.deepEqual(acks(), [ack(start)]);
  }
  using clock = new Clock(20);
  for (let pair = 0; pair < 4; pair += 1) await twoEvents();
  const latest = await twoEvents();
  const since = clock.passed;
  await until("the last", () => acks().at(-1) === ack(latest));
  assert.ok(clock.passed - since < 11_000, `${clock.passed - since}`);
  assert.ok(acks().length <= 2 + clock.passed / 1_000, acks().join());
  assert.ok(!listener.types.includes("error"));
});

for (const when of ["connecting", "waiting", "connected", "message"]) {
  test(`nothing is told after a close that came with "${when}"`, async () => {
    await using wire = await wireTo(ROLLCALL_URL);
    const latest = await twoEvents();
    using clock = new Clock(30);
    let closedAt: number | undefined;
    const told: string[] = [];
    const tell = (what: string): void => {
      told.push(what);
      // With the first one there is no watcher yet that could be closed.
      if (what !== when || told.length === 1 || closedAt !== undefined) return;
      closedAt = told.length;
      watcher.close();
    };
    const watcher = new Watcher({
      origin: wire.url,
      since: latest - 2,
      ticket: () => (told.length > 1 ? ticket() : Promise.reject(new Error("no network"))),
      onMessage: () => tell("message"),
      onLink: ({ state }) => tell(state),
    });
    await until("closed", () => closedAt !== undefined);
    watcher.check();
    watcher.startOver();
    const end = clock.passed + 20_000;
    await until("later than any deadline", () => clock.passed > end);
    assert.equal(told.length, closedAt, `${told.join()}`);
    assert.ok(opened.every(({ readyState }) => readyState >= WebSocket.CLOSING));
  });
}

test("a watcher that asks for it hears how many people are connected", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  using listener = new WatchersListener(wire, { connections: true });
  using other = new WatchersListener(wire);
  await listener.snapshot();
  await other.snapshot();
  const counts = (): number[] =>
    listener.messages.flatMap((message) => (message.type === "connections" ? [message.connections] : []));
  const [snapshot] = listener.messages;
  assert.ok(snapshot?.type === "snapshot");
  const before = snapshot.connections;
  const user = await client(USER);
  using person = new PersonsListener(wire, USER, user);
  await until("one more", () => counts().at(-1) === before + 1);
  person.connection.close();
  await until("as before", () => counts().at(-1) === before);
  assert.ok(!other.types.includes("connections"), "who did not ask");
});

test("a person's own connection hears its echo, and comes back", async () => {
  await using wire = await wireTo(ROLLCALL_URL);
  using person = new PersonsListener(wire, USER, await client(USER));
  await person.connected();
  person.connection.say("hello");
  await until("the echo", () => person.messages.length === 2);
  assert.deepEqual(person.messages, [
    { type: "connection_established", message: `Connected successfully as ${USER}` },
    { type: "message", message: "Server received: hello", from: USER },
  ]);
  wire.cut();
  await person.is("waiting");
  wire.mend();
  person.connection.check();
  await person.connected(2);
  person.connection.reconnect();
  await person.connected(3);
  assert.deepEqual(person.types.slice(2), ["connection_established", "connection_established"]);
});
