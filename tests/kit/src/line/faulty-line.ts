import { freePort } from "@gatehouse/local-stack";
import { once } from "node:events";
import { createServer } from "node:net";
import { type Alteration, createConnections } from "./connections.ts";
import type { LineConditions } from "./direction.ts";

/** A TCP proxy in front of a server, with the faults of a network. */
export interface FaultyLine {
  /** The server's URL with the proxy's address. It never changes. */
  readonly url: string;
  /** Drops all data without closing connections; new connections get no response. */
  silence(): void;
  /** Silences the open connections, as a NAT that forgot them does; new connections work. */
  forgetConnections(): void;
  /** Resets every connection and refuses new ones. */
  hangUp(): Promise<void>;
  /** Ends `silence`, `hangUp` and `slow`: everything passes again, on new connections. */
  restore(): Promise<void>;
  /** From now on everything is so much slower, in both directions; zero delay and no limit end it. */
  slow(conditions: { readonly delayMs?: number; readonly bytesPerSecond?: number }): void;
  /** From now on nothing comes from the server; with `release` it comes after all. */
  hold(): void;
  release(): void;
  /** Alters one piece of what the server sends: the next for which `alter` does not return undefined. */
  alterNext(alter: Alteration): void;
  close(): Promise<void>;
}

export async function createFaultyLine(target: string): Promise<FaultyLine> {
  const { hostname: host, port } = new URL(target);
  const conditions: LineConditions = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, silent: false };
  const connections = createConnections({ host, port: Number(port) }, conditions);
  const server = createServer(connections.accept);
  const ownPort = await freePort();

  async function listen(): Promise<void> {
    server.listen(ownPort, "127.0.0.1");
    await once(server, "listening");
  }

  async function hangUp(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    connections.resetAll();
    await closed;
  }

  const slow: FaultyLine["slow"] = ({ delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY }) => {
    conditions.delayMs = delayMs;
    conditions.bytesPerSecond = bytesPerSecond;
  };

  await listen();
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String(ownPort);
  return {
    url: url.href,
    silence() {
      conditions.silent = true;
    },
    forgetConnections: connections.forgetAll,
    hangUp,
    async restore() {
      conditions.silent = false;
      slow({});
      connections.resetAll();
      if (!server.listening) await listen();
    },
    slow,
    hold: connections.hold,
    release: connections.release,
    alterNext: connections.alterNext,
    close: hangUp,
  };
}
