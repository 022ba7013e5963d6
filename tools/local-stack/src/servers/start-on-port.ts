import { ProcessEndedError } from "../process/managed-process.ts";
import { freePort, isPortFree } from "../process/free-port.ts";

const ATTEMPTS = 5;

/**
 * Starts a server on `port`, or on a free one when none is given; a free one that somebody else takes in the
 * meantime is replaced by another.
 * @throws Error naming the port when the given one is taken
 */
export async function startOnPort<T>(
  name: string,
  port: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T> {
  if (port !== undefined) {
    if (!(await isPortFree(port))) throw new Error(`Port ${port}, wanted for ${name}, is in use by another program`);
    return start(port);
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = error instanceof ProcessEndedError && /address already in use/i.test(error.log);
      if (!taken || attempt === ATTEMPTS) throw error;
    }
  }
}
