import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { ProcessEndedError } from "./managed-process.ts";

// Below the range of ephemeral ports: a client that reconnects to a stopped server could get the server's port as its own.
const LOWEST = 15_000;
const HIGHEST = 32_000;

/**
 * Returns a TCP port of loopback that is free now. Claims it until this process ends: no other call returns it, in this process, in a
 * test file that runs in parallel, or in a second test run. Two servers that choose one port would answer for each other.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    if ((await claimPort(port)) && (await isPortFree(port))) return port;
  }
}

/** Claims a TCP port by its UDP port, which no server here uses and which the system releases when the process ends. */
async function claimPort(port: number): Promise<boolean> {
  const claim = createSocket("udp4");
  claim.bind({ port, address: "127.0.0.1", exclusive: true });
  try {
    await once(claim, "listening");
  } catch {
    claim.close();
    return false;
  }
  claim.unref();
  return true;
}

/** Returns whether a server could listen on this port of `host` now. */
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

/** Returns whether the server on the loopback port replies to `hello` (may be empty) with text that starts with `greeting`. */
export function answers(port: number, hello: string, greeting: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => finish(false));
    socket.on("error", () => finish(false));
    socket.on("close", () => finish(false));
    socket.on("connect", () => socket.write(hello));
    socket.on("data", (bytes) => finish(bytes.toString("latin1").startsWith(greeting)));
  });
}

const ATTEMPTS = 5;

/**
 * Starts a server on `port`, or on a free port. Tries another free port when a program takes it first.
 * @throws Error when `port` is given and in use
 */
export async function startOnPort<T>(
  name: string,
  port: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T> {
  if (port !== undefined) {
    if (!(await isPortFree(port))) throw new Error(`Port ${port} for ${name} is in use by another program.`);
    return start(port);
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      const isTaken = error instanceof ProcessEndedError && /address already in use/i.test(error.log);
      if (!isTaken || attempt === ATTEMPTS) throw error;
    }
  }
}
