// A wire to the Worker that can be cut: what a lost network looks like to a browser that stays. Or it falls silent,
// which nobody is told.

import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Wire {
  /** Reaches the same Worker. */
  url: URL;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  /** From now on nothing gets through, while every connection stays open and new ones are accepted. */
  freeze(): void;
  /** Lets new connections through again. */
  mend(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function wireTo(target: URL): Promise<Wire> {
  const open = new Set<Socket>();
  let state: "whole" | "cut" | "frozen" = "whole";
  const hold = (socket: Socket): void => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
  };
  const server = createServer((near) => {
    if (state === "cut") return void near.destroy();
    hold(near);
    if (state === "frozen") return;
    const far = connect(Number(target.port), target.hostname);
    hold(far);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.pipe(other);
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const breakAll = (): void => open.forEach((socket) => socket.destroy());
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    cut() {
      state = "cut";
      breakAll();
    },
    freeze() {
      state = "frozen";
      for (const socket of open) socket.unpipe().pause();
    },
    mend() {
      state = "whole";
    },
    async [Symbol.asyncDispose]() {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
