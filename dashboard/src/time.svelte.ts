// Times as the hospital's clocks show them, written as the reader's language does.

import { TZDate } from "@date-fns/tz";
import { startOfDay } from "date-fns/startOfDay";
import type { User } from "./wire.ts";

const UNKNOWN_ZONE = "UTC";

class HospitalTime {
  /** An IANA name. Before anybody is signed in there is no hospital: the reader's own. */
  #zone = $state(Intl.DateTimeFormat().resolvedOptions().timeZone);
  readonly #formats = $derived(formatsIn(this.#zone));

  get zone(): string {
    return this.#zone;
  }

  /** From now on times are those of this user's hospital. */
  follow({ time_zone }: User): void {
    this.#zone = isZone(time_zone) ? time_zone : UNKNOWN_ZONE;
  }

  /** `09:05` */
  timeOfDay(moment: string | number | Date): string {
    return this.#formats.timeOfDay.format(new Date(moment));
  }

  /** `09:05:00` */
  time(moment: string | number | Date): string {
    return this.#formats.time.format(new Date(moment));
  }

  /** `21 Nov 2026, 09:05:00` */
  dateAndTime(moment: string | number | Date): string {
    return this.#formats.dateAndTime.format(new Date(moment));
  }

  /** `Saturday 21 November 2026` */
  date(moment: string | number | Date): string {
    return this.#formats.date.format(new Date(moment));
  }

  /** `09:05` today, and with its date otherwise. */
  short(moment: string, today: Date): string {
    const { timeOfDay, dayAndTime } = this.#formats;
    return (new Date(moment) >= today ? timeOfDay : dayAndTime).format(new Date(moment));
  }

  /** Midnight in the hospital. */
  startOfDay(moment: number): Date {
    return new Date(+startOfDay(new TZDate(moment, this.#zone)));
  }

  /** The midnight after that of `day`: 23, 24 or 25 hours later. */
  startOfNextDay(day: number): Date {
    return this.startOfDay(day + 36 * 3_600_000);
  }

  /** So many hours after midnight by the hospital's clocks, on the day of `moment`. */
  hourOf(moment: number, hour: number): Date {
    return new Date(+new TZDate(moment, this.#zone).setHours(hour, 0, 0, 0));
  }

  /** Midnight in the hospital on a day as a date field has it, `2026-11-21`, or so many days after it. */
  startOfDate(date: string, plusDays = 0): Date {
    const [year = 0, month = 1, day = 1] = date.split("-").map(Number);
    return new Date(+new TZDate(year, month - 1, day + plusDays, this.#zone));
  }
}

export const hospital = new HospitalTime();

/** How long before `now`, in whole minutes of at least none. */
export function minutesSince(moment: string | number | Date, now: number): number {
  return Math.max(0, Math.floor((now - +new Date(moment)) / 60_000));
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat(undefined, { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function formatsIn(timeZone: string) {
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(undefined, { timeZone, ...options });
  return {
    timeOfDay: format({ timeStyle: "short" }),
    time: format({ timeStyle: "medium" }),
    dateAndTime: format({ dateStyle: "medium", timeStyle: "medium" }),
    dayAndTime: format({ month: "short", day: "numeric", hour: "numeric", minute: "2-digit" }),
    date: format({ dateStyle: "full" }),
  };
}
