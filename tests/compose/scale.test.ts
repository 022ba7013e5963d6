import { containerOf, docker, inspect } from "@gatehouse/test-kit/compose";
import { describe, expect, it } from "vitest";
import { PEOPLE, underLoad } from "../e2e/support/under-load.ts";
import { addressesOfLogins, engineAddresses, project, url } from "./project.ts";

/** Stops or kills a container under load, and starts it again after some requests. */
async function without(service: string, how: "stop" | "kill") {
  const container = await containerOf(project, service);
  let exitCode: number | undefined;
  const failures = await underLoad(`${how} ${service}`, url, async (more) => {
    try {
      await docker([how, container]);
      await more(120);
      exitCode = Number(await inspect(container, "{{.State.ExitCode}}"));
    } finally {
      // The next test needs all containers.
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

  // A request that may have taken effect is not retried, so each person's current request may fail.
  it.each(["gateway-3", "auth", "user-2"])("keeps serving when %s is killed", async (service) => {
    const { failures } = await without(service, "kill");
    expect(failures.length).toBeLessThanOrEqual(PEOPLE);
  });

  it("takes the client address from the connection to the proxy, not from its headers", async () => {
    // Often enough to reach each gateway and each auth.
    expect(await addressesOfLogins(12)).toEqual([expect.toBeOneOf(await engineAddresses("proxy"))]);
  });
});
