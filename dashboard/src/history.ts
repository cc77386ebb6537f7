// The history's pure parts: which events a filter lets through, and how pages of a table become one.

import type { DoctorEvent } from "./wire.ts";

/** As the form's fields have it; empty for anybody and any time. Both days are in. */
export interface HistoryFilter {
  doctorId: number | undefined;
  /** `2026-11-21` */
  from: string;
  to: string;
}

/** From `from`, in, until `to`, out. */
export interface Period {
  from: Date | undefined;
  to: Date | undefined;
}

/** Whether the server would find this event. */
export function matches(event: DoctorEvent, doctorId: number | undefined, { from, to }: Period): boolean {
  const at = new Date(event.timestamp);
  return (doctorId === undefined || event.doctor_id === doctorId) && (!from || at >= from) && (!to || at < to);
}

/** Newest first, each once. */
export function newestFirst(...lists: readonly (readonly DoctorEvent[])[]): DoctorEvent[] {
  const bySeq = new Map(lists.flat().map((event) => [event.seq, event]));
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq);
}

/** Excel takes a file without it for one in the encoding of its country. */
const BYTE_ORDER_MARK = "\uFEFF";

/** All pages of a table as one, with one header. `page` is asked for what comes after an event, as long as there is more. */
export async function wholeTable(
  page: (since: number) => Promise<{ text: string; next: number | undefined }>,
): Promise<string> {
  let table = "";
  for (let since: number | undefined = 0; since !== undefined; ) {
    const { text, next }: { text: string; next: number | undefined } = await page(since);
    const header = text.indexOf("\n") + 1;
    table += table ? text.slice(header) : BYTE_ORDER_MARK + text;
    since = next;
  }
  return table;
}
