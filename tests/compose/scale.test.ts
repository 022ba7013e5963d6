import { containerOf, docker, inspect } from "@gatehouse/testing/compose";
import { describe, expect, it } from "vitest";
import { startTraffic } from "../e2e/support/traffic.ts";
import { addressesOfLogins, engineAddresses } from "./addresses.ts";
import { project, url } from "./project.ts";

const PEOPLE = 6;

/** Stops or kills the container of a service under load, and starts it again when some requests were answered without it. */
async function without(service: string, how: "stop" | "kill") {
  const container = await containerOf(project, service);
  const traffic = startTraffic(PEOPLE, () => url);
  const more = async (count: number) => {
    const wanted = traffic.answered() + count;
    await expect.poll(() => traffic.answered()).toBeGreaterThan(wanted);
  };
  try {
    await more(60);
    await docker([how, container]);
    await more(120);
    const exitCode = Number(await inspect(container, "{{.State.ExitCode}}"));
    await docker(["start", container]);
    await expect.poll(() => inspect(container, "{{.State.Health.Status}}")).toBe("healthy");
    await more(60);
    await traffic.stop();
    for (const failure of traffic.failures) console.log(failure);
    console.log(`${how} ${service}: ${traffic.answered()} answered, ${traffic.failures.length} failed`);
    return { failures: traffic.failures, exitCode };
  } finally {
    await traffic.stop();
    // Whatever became of it, the next one finds all of them.
    await docker(["start", container]);
  }
}

describe("the profile scale", () => {
  it.each(["gateway", "gateway-2", "auth", "auth-2", "user", "user-2"])(
    "loses no request when %s is stopped",
    async (service) => {
      expect(await without(service, "stop")).toEqual({ failures: [], exitCode: 0 });
    },
  );

  // What was sent and may have been done is not sent again: at most what each was at fails.
  it.each(["gateway-3", "auth", "user-2"])("goes on when %s is killed", async (service) => {
    const { failures } = await without(service, "kill");
    expect(failures.length).toBeLessThanOrEqual(PEOPLE);
  });

  it("knows a client by where its connection to the proxy comes from, whatever it says", async () => {
    // Often enough that each gateway and each auth has its turn.
    expect(await addressesOfLogins(12)).toEqual([expect.toBeOneOf(await engineAddresses(project, "proxy"))]);
  });
});
