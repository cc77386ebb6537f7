// What a person has chosen for this browser, kept across reloads.

export class Preference<Choice extends string> {
  readonly #key: string;
  #value: Choice;

  constructor(name: string, choices: readonly Choice[], unless: NoInfer<Choice>) {
    this.#key = `rollcall.${name}`;
    const kept = read(this.#key);
    this.#value = $state(choices.find((choice) => choice === kept) ?? unless);
  }

  get value(): Choice {
    return this.#value;
  }

  set value(value: Choice) {
    this.#value = value;
    write(this.#key, value);
  }
}

/** Null where there is none, or the browser keeps nothing. */
export function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** A browser that keeps nothing forgets it with the page. */
export function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // As said above.
  }
}
