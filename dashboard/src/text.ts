// Words for people: names, times, and what a close code means for them.

import type { Reason } from "./wire.ts";

export function doctorName({ first_name, last_name }: { first_name: string; last_name: string }): string {
  return `Dr. ${first_name} ${last_name}`;
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** Date and time, in the reader's own language and time zone. */
export function dateAndTime(timestamp: string): string {
  return moment.format(new Date(timestamp));
}

export function time(timestamp: string | Date): string {
  return timeOfDay.format(new Date(timestamp));
}

/** Why a doctor came or went, where it was not their own doing. */
export const REASONS: Record<Reason, string> = {
  connection_lost: "connection lost",
  admin: "by an administrator",
};

/** Why a socket was closed for good. */
export function closedBecause(code: number): string {
  switch (code) {
    case 1008:
      return "The server closed the connection: too many connections or messages.";
    case 4001:
    case 4002:
      return "Your session was not accepted. Please sign out and in again.";
    case 4003:
      return "You are not allowed to connect here.";
    case 4004:
      return "An administrator closed the connection.";
    default:
      return `The server closed the connection (code ${code}).`;
  }
}
