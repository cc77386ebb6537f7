import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { backoff, mayReconnect, socketUrl, Watcher, type BoardMessage } from "./socket.ts";

test("the bound doubles with every try, up to 30 seconds", () => {
  const almostOne = 1 - Number.EPSILON;
  const bounds = [1, 2, 3, 4, 5, 6, 7, 1000].map((attempt) => Math.round(backoff(attempt, almostOne)));
  assert.deepEqual(bounds, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("the whole range below the bound is used", () => {
  assert.equal(backoff(5, 0), 0);
  assert.equal(backoff(5, 0.5), 8_000);
});

test("accidents are survived, decisions are respected", () => {
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 4008]) assert.ok(mayReconnect(code), `${code}`);
  for (const code of [1000, 1003, 1008, 1009, 4000, 4001, 4002, 4003, 4004]) assert.ok(!mayReconnect(code), `${code}`);
});

test("a socket is as safe as its origin", () => {
  for (const origin of ["https://rollcall.example", "wss://rollcall.example/board"]) {
    assert.equal(socketUrl("/ws/", { email: "a b@c" }, origin), "wss://rollcall.example/ws/?email=a+b%40c");
  }
  assert.equal(socketUrl("/ws/", {}, new URL("http://127.0.0.1:8787")), "ws://127.0.0.1:8787/ws/");
});

// What no server should send, from a socket that the test holds.

class FakeSocket {
  static readonly OPEN = 1;
  static last: FakeSocket;
  readyState = FakeSocket.OPEN;
  onmessage: ((event: { data: string }) => void) | null = null;
  readonly since: string | null;

  constructor(url: string) {
    this.since = new URL(url).searchParams.get("since");
    FakeSocket.last = this;
  }

  hear(...messages: object[]): void {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) });
  }

  send(): void {}
  close(): void {}
}

beforeEach(() => {
  globalThis.WebSocket = FakeSocket as unknown as typeof WebSocket;
});

const event = (seq: number): object => ({ type: "doctor_login_logout", doctor_id: 7, seq });
const snapshot = (seq: number): object => ({ type: "snapshot", seq });
const resumed = (from: number, seq: number): object => ({ type: "resumed", from, seq, recovered: true });

/** A watcher of the fake, which writes down what it hands on, until the end of the block. */
function watcher(since?: number): { told: string[]; [Symbol.dispose](): void } {
  const told: string[] = [];
  const onMessage = (message: BoardMessage): void =>
    void told.push("seq" in message ? `${message.type} ${message.seq}` : message.type);
  const watching = new Watcher({ origin: "http://fake", onMessage, ...(since !== undefined && { since }) });
  return { told, [Symbol.dispose]: () => watching.close() };
}

test("an event that comes again is not handed on again", () => {
  using watching = watcher();
  FakeSocket.last.hear(snapshot(4), event(5), event(5), event(4), event(6));
  assert.deepEqual(watching.told, ["snapshot 4", "doctor_login_logout 5", "doctor_login_logout 6"]);
});

test("a gap is not handed on: what is missing is asked for", () => {
  using watching = watcher();
  const first = FakeSocket.last;
  first.hear(snapshot(4), event(5), event(7), event(8));
  assert.notEqual(FakeSocket.last, first);
  assert.equal(FakeSocket.last.since, "5");
  FakeSocket.last.hear(event(6), event(7), event(8), resumed(5, 8));
  assert.deepEqual(watching.told.slice(1).map((told) => told.split(" ")[1]), ["5", "6", "7", "8", "8"]);
});

test("nothing is handed on between a position that means nothing and the snapshot", () => {
  using watching = watcher(5);
  FakeSocket.last.hear({ ...resumed(5, 8), recovered: false }, event(6), snapshot(8), event(9));
  assert.deepEqual(watching.told, ["resumed 8", "snapshot 8", "doctor_login_logout 9"]);
});

test("a gap in what was asked for leads to a snapshot, not to the same question", () => {
  for (const gap of [event(7), resumed(5, 6)]) {
    using watching = watcher(5);
    assert.equal(FakeSocket.last.since, "5");
    FakeSocket.last.hear(gap);
    assert.equal(FakeSocket.last.since, null);
    FakeSocket.last.hear(event(8), snapshot(8), event(9));
    assert.deepEqual(watching.told, ["snapshot 8", "doctor_login_logout 9"]);
  }
});
