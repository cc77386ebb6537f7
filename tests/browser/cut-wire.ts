// A wire to the Worker that can be cut: what a lost network looks like to a browser that stays.

import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Wire {
  /** Reaches the same Worker. */
  url: URL;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  mend(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function wireTo(target: URL): Promise<Wire> {
  const open = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => {});
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const breakAll = (): void => open.forEach((socket) => socket.destroy());
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    cut() {
      isCut = true;
      breakAll();
    },
    mend() {
      isCut = false;
    },
    async [Symbol.asyncDispose]() {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
