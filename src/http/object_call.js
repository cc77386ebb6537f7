// Calls to objects: each is one crossing from Rust, where building a request there would be a dozen.

/** Asks an object, and returns the text that it answers. */
export async function ask(object, address, json) {
  const answer = await object.fetch(address, { method: "POST", body: json });
  return answer.text();
}

/** Asks many objects at once, and returns what each answers; null for one that does not in time. */
export function askAll(objects, address, json, milliseconds) {
  const signal = AbortSignal.timeout(milliseconds);
  const askOne = async (object) => (await object.fetch(address, { method: "POST", body: json, signal })).text();
  return Promise.all(objects.map((object) => askOne(object).catch(() => null)));
}

/** Hands a WebSocket upgrade to an object. */
export async function upgrade(object, address, call) {
  return object.fetch(address, { headers: { Upgrade: "websocket", "Rollcall-Call": call } });
}
