import { answersReady } from "@gatehouse/local-stack";
import { setTimeout as delay } from "node:timers/promises";

/** How often a gateway is asked; a good deal quicker than the balancers of the world, so that the test is not long. */
const PROBE_MS = 250;

export interface LoadBalancer {
  /** The gateway whose turn it is. */
  next(): string;
  /** Resolves when so many gateways are ready. */
  untilReady(count: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * The client's side of two gateways, as a load balancer is: it asks `/health/ready` of each, and from the first answer other
 * than 200 on it sends that gateway nothing more, over kept-alive connections neither. Until it has asked it knows
 * nothing, and it repeats no request.
 */
export async function createLoadBalancer(urls: readonly string[]): Promise<LoadBalancer> {
  const closing = new AbortController();
  const ready = new Set<string>();
  let changed = Promise.withResolvers<void>();
  let turn = 0;

  async function probe(url: string): Promise<void> {
    if (await answersReady(url)) ready.add(url);
    else ready.delete(url);
    changed.resolve();
    changed = Promise.withResolvers();
  }

  async function watch(url: string): Promise<void> {
    while (!closing.signal.aborted) {
      await delay(PROBE_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      await probe(url);
    }
  }

  await Promise.all(urls.map(probe));
  const watching = urls.map(watch);
  return {
    next() {
      const candidates = urls.filter((url) => ready.has(url));
      const url = candidates[turn++ % candidates.length];
      if (url === undefined) throw new Error("no gateway is ready");
      return url;
    },
    async untilReady(count) {
      while (ready.size !== count) await changed.promise;
    },
    async close() {
      closing.abort();
      await Promise.all(watching);
    },
  };
}
