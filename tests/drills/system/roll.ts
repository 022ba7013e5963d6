import type { ServiceName } from "@gatehouse/local-stack";
import type { System } from "./system.ts";

/**
 * A rolling restart: one process after the other gets SIGTERM, finishes what it is at, and is started again with these variables over
 * those it had. The next one is stopped when it is ready, and a gateway's clients have noticed.
 * @param tree the root of the checkout whose build they are from now on; the former one unless given
 * @throws Error when a process did not end by itself, or does not start
 */
export async function roll(
  system: System,
  service: ServiceName,
  environment: NodeJS.ProcessEnv,
  tree?: string,
): Promise<void> {
  for (const replica of system.services[service]) {
    const end = await replica.stop("SIGTERM");
    if (end !== "exit code 0") throw new Error(`${replica.name} ended with ${end}`);
    await replica.start(environment, tree);
    if (service === "gateway") await system.balancer.untilReady(system.services.gateway.length);
  }
}
