// Desktop notifications and a sound, for somebody who does not look at the page. Both are off until asked for.

import { Preference } from "./preferences.svelte.ts";
import type { Notice } from "./state.ts";
import { t } from "./text.ts";
import { hospital } from "./time.svelte.ts";

const OFF_OR_ON = ["off", "on"] as const;
/** A burst is one sound. */
const SILENT_AFTER_SOUND_MS = 2_000;

export class Alerts {
  readonly #desktop = new Preference("desktop", OFF_OR_ON, "off");
  readonly #sound = new Preference("sound", OFF_OR_ON, "off");
  /** Why desktop notifications cannot be switched on. */
  problem = $state("");
  #audio: AudioContext | undefined;
  #lastSound = 0;

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

  /** Plays it once, so that the person knows what to expect and the browser allows it from now on. */
  setSound(on: boolean): void {
    this.#sound.value = on ? "on" : "off";
    if (on) this.#play();
  }

  tell(notices: readonly Notice[]): void {
    const latest = notices.at(-1);
    if (!latest) return;
    if (this.sound && Date.now() - this.#lastSound > SILENT_AFTER_SOUND_MS) this.#play();
    if (this.desktop && !document.hasFocus()) this.#notify(latest, notices.length - 1);
  }

  #notify({ action, doctorName, timestamp, reason }: Notice, others: number): void {
    const because = reason ? t.event.because(reason) : "";
    const what = t.event.cameOrWent(action) + t.event.at(hospital.time(timestamp)) + because;
    const body = others > 0 ? `${what} ${t.alerts.andOthers(others)}` : what;
    try {
      // One tag: a burst replaces what it said before, instead of piling up.
      const shown = new Notification(doctorName, { body, tag: "rollcall", icon: "/favicon.svg" });
      shown.onclick = () => {
        window.focus();
        shown.close();
      };
    } catch {
      // Chrome on Android has the class but allows it to service workers only.
      this.problem = t.alerts.unsupported;
      this.#desktop.value = "off";
    }
  }

  #play(): void {
    this.#lastSound = Date.now();
    this.#audio ??= new AudioContext();
    // A browser that has not been touched since it was opened stays silent.
    void this.#audio.resume();
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

function mayNotify(): boolean {
  return "Notification" in globalThis && Notification.permission === "granted";
}
