// When to connect again. Pure: the caller brings the randomness and the timer.

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

/**
 * Milliseconds to wait before try number `attempt` (1, 2, …): anything up to a bound that doubles.
 * The whole range is random, so that a hospital's dashboards do not all return in the same instant.
 * `random` is at least 0 and less than 1.
 */
export function backoff(attempt: number, random: number): number {
  return random * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
}

/** Close codes that another try would only repeat. Everything else is an accident: connect again and resume. */
const FINAL = new Set([1000, 1003, 1008, 1009, 4000, 4001, 4002, 4003, 4004]);

export function mayReconnect(code: number): boolean {
  return !FINAL.has(code);
}
