import { setTimeout as pause } from "node:timers/promises";
import type { System } from "../system/system.ts";

/** How long the product may take to be well again by itself. */
const WITHIN_MS = 30_000;
const ASK_EVERY_MS = 50;

/** Waits until every service is ready and the whole is healthy. @returns milliseconds, or what was still wrong when time was up */
export async function recover({ services, gateways }: System): Promise<{ ms: number; stuck?: string }> {
  const begun = performance.now();
  const places = [
    ...Object.values(services).map(({ name, url }) => ({ name, url: `${url}/health/ready` })),
    ...gateways.map(({ name, url }) => ({ name, url: `${url}/health/detailed` })),
  ];
  for (;;) {
    const ill = (await Promise.all(places.map(ask))).filter((answer) => answer !== undefined);
    const ms = Math.round(performance.now() - begun);
    if (ill.length === 0) return { ms };
    if (ms > WITHIN_MS) return { ms, stuck: ill.join("; ") };
    await pause(ASK_EVERY_MS);
  }
}

/** @returns what is wrong, undefined when all is well */
async function ask({ name, url }: { name: string; url: string }): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    const body = await response.text();
    const well = response.ok && !body.includes("degraded");
    return well ? undefined : `${name} answers ${response.status} ${body}`;
  } catch (error) {
    return `${name} does not answer: ${String(error)}`;
  }
}
