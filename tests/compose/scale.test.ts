import { containerOf, docker, inspect } from "@gatehouse/test-kit/compose";
import { describe, expect, it } from "vitest";
import { PEOPLE, underLoad } from "../e2e/support/under-load.ts";
import { addressesOfLogins, engineAddresses } from "./addresses.ts";
import { project, url } from "./project.ts";

/** Stops or kills the container of a service under load, and starts it again when some requests were answered without it. */
async function without(service: string, how: "stop" | "kill") {
  const container = await containerOf(project, service);
  let exitCode: number | undefined;
  const failures = await underLoad(`${how} ${service}`, url, async (more) => {
    try {
      await docker([how, container]);
      await more(120);
      exitCode = Number(await inspect(container, "{{.State.ExitCode}}"));
    } finally {
      // Whatever became of it, the next one finds all of them.
      await docker(["start", container]);
    }
    await expect.poll(() => inspect(container, "{{.State.Health.Status}}")).toBe("healthy");
  });
  return { failures, exitCode };
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
