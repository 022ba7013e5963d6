import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

// Below the range from which the system takes the ports of outgoing connections: a client that reconnects
// to a stopped server could otherwise be given that very port as its own and talk to itself.
const LOWEST = 15_000;
const HIGHEST = 32_000;

// Test files that run side by side choose among different ports: two services that got the same one would answer for each other.
const SHARES = 16;
const SHARE = Number(process.env["VITEST_POOL_ID"] ?? 0) % SHARES;

/** What this process was given; until somebody listens there, it looks free. */
const given = new Set<number>();

/**
 * A TCP port on loopback that is free now, and never the same twice. Another process may take it before its use, so a server's start
 * is tried again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(Math.ceil(LOWEST / SHARES), Math.floor(HIGHEST / SHARES)) * SHARES + SHARE;
    if (given.has(port)) continue;
    given.add(port);
    if (await isPortFree(port)) return port;
  }
}

/** Whether a server could listen on this port of `host` now. */
export async function isPortFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  const probe = createServer();
  probe.listen({ port, host, exclusive: true });
  try {
    await once(probe, "listening");
  } catch {
    return false;
  }
  probe.close();
  await once(probe, "close");
  return true;
}
