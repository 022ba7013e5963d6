import { answersReady } from "@gatehouse/local-stack";
import { setTimeout as delay } from "node:timers/promises";

/** How often each gateway is probed: more often than by real balancers, so that tests are short. */
const PROBE_MS = 250;

export interface LoadBalancer {
  /** Returns the next ready gateway. @throws Error without one */
  next(): string;
  /** Resolves when exactly `count` gateways are ready. */
  untilReady(count: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Distributes requests as a load balancer does: it probes `/health/ready` of each gateway, and sends nothing to a gateway whose last
 * answer was not 200. It retries no request.
 */
export async function createLoadBalancer(urls: readonly string[]): Promise<LoadBalancer> {
  const closing = new AbortController();
  const ready = new Set<string>();
  let changed = Promise.withResolvers<void>();
  let position = 0;

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
      const url = candidates[position++ % candidates.length];
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
