// pnpm bench:revocation: how long a revoked access token lives. See --help.
import { parseCount } from "@gatehouse/test-kit/command";
import { Option } from "commander";
import { login, register, send, type Session } from "./support/client.ts";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { describe, progress, quantile } from "./support/report.ts";
import { type Revocation, REVOCATIONS } from "./support/revocations.ts";
import { ADMIN, startStack } from "./support/stack.ts";

interface Options {
  readonly tries: number;
}

const P50_MS = 10;
const GIVE_UP_MS = 10_000;
const PATH = "/v1/auth/me";

async function bench({ tries }: Options): Promise<BenchResult> {
  const { url, stop } = await startStack();
  try {
    const admin = await login(url, ADMIN.email, ADMIN.password);
    const kinds = Object.entries(REVOCATIONS);
    const samples = new Map<string, number[]>(kinds.map(([kind]) => [kind, []]));
    for (let index = 0; index < tries; index += 1) {
      const [kind, revoke] = kinds[index % kinds.length] as [string, Revocation];
      samples.get(kind)?.push(await measure(url, revoke, admin));
      progress("revocations", index + 1, tries);
    }
    const all = [...samples.values()].flat();
    return {
      passed: quantile(all, 0.5) <= P50_MS,
      figures: { milliseconds: Object.fromEntries(samples) },
      lines: [
        ...[...samples].map(([kind, times]) => `${kind.padEnd(16)} ${describe(times)}`),
        `${"all".padEnd(16)} ${describe(all)} (p50 at most ${P50_MS} ms)`,
      ],
    };
  } finally {
    await stop();
  }
}

/** Milliseconds from the answer of the revoking call to the first 401. */
async function measure(url: string, revoke: Revocation, admin: Session): Promise<number> {
  const user = await register(url);
  if ((await send(url, "GET", PATH, user.token)) !== 200) throw new Error("the token was no good to begin with");
  const status = await revoke(url, user, admin);
  const begun = performance.now();
  if (status >= 300) throw new Error(`the revoking call answered ${status}`);
  while ((await send(url, "GET", PATH, user.token)) !== 401)
    if (performance.now() - begun > GIVE_UP_MS) throw new Error("the token is still good after 10 s");
  return performance.now() - begun;
}

await benchCommand(
  "bench:revocation",
  "From the 2xx of a revoking call to the first 401 at the gateway, over revocations of mixed kinds.",
  bench,
)
  .addOption(new Option("--tries <count>", "revocations").argParser(parseCount).default(200))
  .parseAsync();
