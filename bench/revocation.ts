// pnpm bench:revocation: how long a revoked access token works. See --help.
import { call, type Person, register, until } from "@gatehouse/test-kit/api";
import { countOption, describeTimes, quantile, type Report, reportCommand, showCount } from "@gatehouse/test-kit/run";
import { type Revocation, REVOCATIONS, startBenchSystem } from "./support/system.ts";

const P50_MS = 10;

async function bench({ tries }: { readonly tries: number }): Promise<Report> {
  await using system = await startBenchSystem({ environment: { LOG_LEVEL: "warn" } });
  const kinds = Object.entries(REVOCATIONS);
  const samples: Record<string, number[]> = Object.fromEntries(kinds.map(([kind]) => [kind, []]));
  for (let index = 0; index < tries; index += 1) {
    const [kind, revoke] = kinds[index % kinds.length] as (typeof kinds)[0];
    samples[kind]?.push(await measure(system.urls[0] ?? "", revoke, system.admin));
    showCount("revocations", index + 1, tries);
  }
  const all = Object.values(samples).flat();
  return {
    passed: quantile(all, 0.5) <= P50_MS,
    figures: { milliseconds: samples },
    lines: [
      ...Object.entries(samples).map(([kind, times]) => `${kind.padEnd(16)} ${describeTimes(times)}`),
      `${"all".padEnd(16)} ${describeTimes(all)} (p50 at most ${P50_MS} ms)`,
    ],
  };
}

/** Milliseconds from the answer of the revoking call to the first 401. */
async function measure(url: string, revoke: Revocation, admin: Person): Promise<number> {
  const user = await register(url);
  const read = async () => (await call(url, "GET", "/v1/auth/me", { token: user.token })).status;
  if ((await read()) !== 200) throw new Error("the new token does not work");
  const { status } = await revoke(url, user, admin);
  const begun = performance.now();
  if (status >= 300) throw new Error(`the revoking call returned ${status}`);
  await until(async () => (await read()) === 401, 10_000, { what: "the token is rejected", everyMs: 0 });
  return performance.now() - begun;
}

await reportCommand(
  "pnpm bench:revocation",
  "Measures the time from the 2xx of a revoking call to the first 401 at the gateway, over all kinds of revocations.",
  bench,
)
  .addOption(countOption("tries", "revocations", 200))
  .parseAsync();
