import type { Logger } from "@gatehouse/observability";

type Release = () => Promise<void> | void;

export interface Releasers {
  /** Remembers how to give back what was just acquired; `name` is for the log. */
  add(name: string, release: Release): void;
  /** Gives everything back, last acquired first. A release that fails is logged and the rest go on. Never rejects; a second call does nothing. */
  releaseAll(): Promise<void>;
}

/** A stack of things to give back at the end, also after a start that failed half-way. */
export function createReleasers(logger?: Pick<Logger, "error">): Releasers {
  const stack: { name: string; release: Release }[] = [];
  return {
    add: (name, release) => void stack.push({ name, release }),
    async releaseAll() {
      for (let entry = stack.pop(); entry; entry = stack.pop()) {
        try {
          await entry.release();
        } catch (error) {
          logger?.error({ err: error, resource: entry.name }, "a resource could not be released");
        }
      }
    },
  };
}
