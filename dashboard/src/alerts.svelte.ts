// What tells somebody who does not look at the page: words for a screen reader, and, both off until asked for, desktop
// notifications and a sound.
// Invariant: once a second at most, so that a burst is one announcement, one notification, one sound.

import { Preference } from "./preferences.svelte.ts";
import type { Notice } from "./state.ts";
import { t } from "./text.ts";
import { hospital } from "./time.svelte.ts";

const OFF_OR_ON = ["off", "on"] as const;
const TOLD_EVERY_MS = 1_000;

export class Alerts {
  /** For a screen reader. */
  spoken = $state("");
  /** Why desktop notifications cannot be switched on. */
  problem = $state("");
  /** Browsers let no page make a sound that nobody has touched since it was opened. */
  needsTouch = $state(!navigator.userActivation?.hasBeenActive);
  readonly #desktop = new Preference("desktop", OFF_OR_ON, "off");
  readonly #sound = new Preference("sound", OFF_OR_ON, "off");
  readonly #end = new AbortController();
  #untold: Notice[] = [];
  #telling: ReturnType<typeof setTimeout> | undefined;
  #toldAt = 0;
  #notification: Notification | undefined;
  #audio: AudioContext | undefined;

  constructor() {
    for (const touch of ["pointerdown", "keydown"]) {
      addEventListener(touch, () => (this.needsTouch = false), { signal: this.#end.signal, once: true });
    }
  }

  get desktop(): boolean {
    return this.#desktop.value === "on" && mayNotify();
  }

  get sound(): boolean {
    return this.#sound.value === "on";
  }

  /** Asks the browser's permission where it has to be asked; from a click, as browsers demand. */
  async setDesktop(on: boolean): Promise<void> {
    this.problem = "";
    if (on && !("Notification" in globalThis)) this.problem = t.alerts.unsupported;
    else if (on && (await Notification.requestPermission()) !== "granted") this.problem = t.alerts.denied;
    this.#desktop.value = on && !this.problem ? "on" : "off";
  }

  /** Plays it once, so that the person knows what to expect. */
  setSound(on: boolean): void {
    this.#sound.value = on ? "on" : "off";
    if (on) this.#play();
  }

  tell(notices: readonly Notice[]): void {
    this.#untold.push(...notices);
    this.#telling ??= setTimeout(() => this.#tellAll(), this.#toldAt + TOLD_EVERY_MS - Date.now());
  }

  close(): void {
    this.#end.abort();
    clearTimeout(this.#telling);
    void this.#audio?.close();
  }

  #tellAll(): void {
    this.#telling = undefined;
    this.#toldAt = Date.now();
    const [latest, others] = [this.#untold.at(-1), this.#untold.length - 1];
    this.#untold = [];
    if (!latest) return;
    const what = inWords(latest, others);
    this.spoken = `${latest.doctorName} ${what}`;
    if (this.sound && !this.needsTouch) this.#play();
    if (this.desktop && !document.hasFocus()) this.#notify(latest.doctorName, what);
  }

  #notify(title: string, body: string): void {
    try {
      // One at a time, instead of piling up; a new one, because one that is replaced does not alert again.
      this.#notification?.close();
      const shown = new Notification(title, { body, icon: "/favicon.svg" });
      shown.onclick = () => {
        window.focus();
        shown.close();
      };
      this.#notification = shown;
    } catch {
      // Chrome on Android has the class but allows it to service workers only.
      this.problem = t.alerts.unsupported;
      this.#desktop.value = "off";
    }
  }

  #play(): void {
    this.#audio ??= new AudioContext();
    for (const [start, pitch] of [
      [0, 660],
      [0.15, 880],
    ] as const) {
      const [tone, volume] = [this.#audio.createOscillator(), this.#audio.createGain()];
      const at = this.#audio.currentTime + start;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.2, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.3);
      tone.connect(volume).connect(this.#audio.destination);
      tone.start(at);
      tone.stop(at + 0.3);
    }
  }
}

function inWords({ action, timestamp, reason }: Notice, others: number): string {
  const because = reason ? t.event.because(reason) : "";
  const what = t.event.cameOrWent(action) + t.event.at(hospital.time(timestamp)) + because;
  return others > 0 ? `${what} ${t.alerts.andOthers(others)}` : what;
}

function mayNotify(): boolean {
  return "Notification" in globalThis && Notification.permission === "granted";
}
