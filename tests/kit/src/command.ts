import { InvalidArgumentError } from "commander";

// For the commands that run a whole system of their own: drills, faults, benches.

/** @throws InvalidArgumentError, which commander shows with the option's name */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("A whole number above zero is needed.");
  return count;
}

/** Aborted by the first SIGINT or SIGTERM, so that what was started is ended in order; the same once more ends the process at once. */
export function abortBySignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stopping.abort(new Error(`ended by ${signal}`)));
  return stopping.signal;
}
