import assert from "node:assert/strict";
import { test } from "node:test";
import { matches, newestFirst, wholeTable } from "./history.ts";
import type { DoctorEvent } from "./wire.ts";

const HEADER = "seq,timestamp,doctor_name\n";
const row = (seq: number, name = "Dr. Ann Lee") => `${seq},2026-11-21T09:00:00Z,${name}\n`;

function event(seq: number, doctor_id = 7, timestamp = "2026-11-21T09:00:00Z"): DoctorEvent {
  return { type: "doctor_login_logout", doctor_id, action: "login", doctor_name: "", timestamp, message: "", seq };
}

type Page = { text: string; next: number | undefined };

function pages(...pages: Page[]): { ask: (since: number) => Promise<Page>; asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    ask: (since) => {
      asked.push(since);
      return Promise.resolve(pages[asked.length - 1] ?? { text: HEADER, next: undefined });
    },
  };
}

test("the pages of a table become one, with one header", async () => {
  const { ask, asked } = pages({ text: HEADER + row(3) + row(5), next: 5 }, { text: HEADER + row(9), next: undefined });
  assert.equal(await wholeTable(ask), `\uFEFF${HEADER}${row(3)}${row(5)}${row(9)}`);
  assert.deepEqual(asked, [0, 5]);
});

test("a page without rows is no end, as long as more may follow", async () => {
  const { ask, asked } = pages({ text: HEADER, next: 5000 }, { text: HEADER + row(5009), next: undefined });
  assert.equal(await wholeTable(ask), `\uFEFF${HEADER}${row(5009)}`);
  assert.deepEqual(asked, [0, 5000]);
});

test("a table without rows is its header", async () => {
  assert.equal(await wholeTable(pages().ask), `\uFEFF${HEADER}`);
});

test("a page that cannot be had is no half a table", async () => {
  const gone = (since: number) =>
    since ? Promise.reject(new Error("gone")) : Promise.resolve({ text: row(3), next: 3 });
  await assert.rejects(wholeTable(gone));
});

test("events are listed once, newest first", () => {
  const seqs = newestFirst([event(2), event(3)], [event(3), event(4)]).map(({ seq }) => seq);
  assert.deepEqual(seqs, [4, 3, 2]);
});

test("a live event is let through as the server would: from is in, to is out", () => {
  const [from, to] = [new Date("2026-11-21T09:00:00Z"), new Date("2026-11-21T10:00:00Z")];
  const [any, period] = [{ from: undefined, to: undefined }, { from, to }];
  assert.ok(matches(event(1), undefined, any));
  assert.ok(matches(event(1), 7, period));
  assert.ok(!matches(event(1), 8, period));
  assert.ok(!matches(event(1, 7, "2026-11-21T10:00:00Z"), 7, period));
  assert.ok(!matches(event(1, 7, "2026-11-21T08:59:59Z"), 7, period));
});
