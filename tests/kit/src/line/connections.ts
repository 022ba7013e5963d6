import { connect, type Socket } from "node:net";
import { carry, type Direction, type LineConditions } from "./direction.ts";

/** Changes a piece of what the server sends, or leaves it as it is by returning undefined. */
export type Alteration = (piece: Buffer) => Buffer | undefined;

/** The connections that run over a line. */
export interface Connections {
  /** Connects a caller to the server. */
  accept(near: Socket): void;
  forgetAll(): void;
  resetAll(): void;
  hold(): void;
  release(): void;
  alterNext(alteration: Alteration): void;
}

export function createConnections(
  server: { readonly host: string; readonly port: number },
  conditions: LineConditions,
): Connections {
  const sockets = new Set<Socket>();
  const directions = new Set<Direction>();
  const fromServer = new Set<Direction>();
  let held = false;
  let alteration: Alteration | undefined;

  function passOn(piece: Buffer): Buffer {
    const altered = alteration?.(piece);
    if (altered === undefined) return piece;
    alteration = undefined;
    return altered;
  }

  function attend(one: Socket, other: Socket, direction: Direction): void {
    sockets.add(one);
    directions.add(direction);
    one.setNoDelay(true);
    one.on("error", () => undefined);
    one.on("close", () => {
      sockets.delete(one);
      directions.delete(direction);
      fromServer.delete(direction);
      direction.finish(() => other.destroy());
    });
  }

  return {
    accept(near) {
      const far = connect(server.port, server.host);
      const inward = carry(far, near, conditions, passOn);
      fromServer.add(inward);
      if (held) inward.hold();
      attend(near, far, carry(near, far, conditions));
      attend(far, near, inward);
    },
    forgetAll() {
      for (const direction of directions) direction.forget();
    },
    resetAll() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    hold() {
      held = true;
      for (const direction of fromServer) direction.hold();
    },
    release() {
      held = false;
      for (const direction of fromServer) direction.release();
    },
    alterNext(next) {
      alteration = next;
    },
  };
}
