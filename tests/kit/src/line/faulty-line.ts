import { freePort } from "@gatehouse/local-stack";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { carry, type Direction, type LineConditions } from "./direction.ts";

/** Returns the replacement of a piece, or undefined to leave it unchanged. */
type Alteration = (piece: Buffer) => Buffer | undefined;

export type FaultyLine = Awaited<ReturnType<typeof createFaultyLine>>;

/** Creates a TCP proxy to the server of a URL, which can fail as a network does. */
export async function createFaultyLine(target: string) {
  const { hostname: host, port } = new URL(target);
  const conditions: LineConditions = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, silent: false };
  const sockets = new Set<Socket>();
  const directions = new Set<Direction>();
  const fromServer = new Set<Direction>();
  let isHeld = false;
  let alteration: Alteration | undefined;

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

  const server = createServer((near) => {
    const far = connect(Number(port), host);
    const inward = carry(far, near, conditions, (piece) => {
      const altered = alteration?.(piece);
      if (altered === undefined) return piece;
      alteration = undefined;
      return altered;
    });
    fromServer.add(inward);
    if (isHeld) inward.hold();
    attend(near, far, carry(near, far, conditions));
    attend(far, near, inward);
  });
  const ownPort = await freePort();

  async function listen(): Promise<void> {
    server.listen(ownPort, "127.0.0.1");
    await once(server, "listening");
  }

  function resetAll(): void {
    for (const socket of sockets) socket.resetAndDestroy();
  }

  async function hangUp(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    resetAll();
    await closed;
  }

  function slow({ delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY }: Partial<LineConditions>): void {
    Object.assign(conditions, { delayMs, bytesPerSecond });
  }

  await listen();
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String(ownPort);
  return {
    /** The URL of the target through the line; it never changes. */
    url: url.href,
    /** Drops all data without an error; new connections get no reply. */
    silence: () => void (conditions.silent = true),
    /** Drops the data of the open connections, as a NAT gateway that lost its table; new connections work. */
    forgetConnections() {
      for (const direction of directions) direction.forget();
    },
    /** Resets every connection and refuses new ones. */
    hangUp,
    /** Ends `silence`, `hangUp` and `slow`. Open connections are reset; new ones work. */
    async restore() {
      conditions.silent = false;
      slow({});
      resetAll();
      if (!server.listening) await listen();
    },
    /** Delays and limits both directions; `slow({})` ends it. */
    slow,
    /** Keeps what the server sends until `release`. */
    hold() {
      isHeld = true;
      for (const direction of fromServer) direction.hold();
    },
    release() {
      isHeld = false;
      for (const direction of fromServer) direction.release();
    },
    /** Alters one piece from the server: the first for which `alter` returns one. */
    alterNext: (alter: Alteration) => void (alteration = alter),
    close: hangUp,
  };
}
