// How long a revoked access token lives: from the 2xx of the revoking call to the first 401 at the gateway,
// over tries of mixed kinds. Usage: pnpm bench:revocation [tries, default 200]
import { login, register, send, type Session } from "./support/client.ts";
import { describe, printMachine, progress } from "./support/report.ts";
import { type Revocation, REVOCATIONS } from "./support/revocations.ts";
import { ADMIN, startStack } from "./support/stack.ts";

const tries = Number(process.argv[2] ?? 200);
const stack = await startStack();
const { url } = stack;

/** Milliseconds from the answer of `act` to the first 401. */
async function measure(act: Revocation, admin: Session): Promise<number> {
  const user = await register(url);
  const path = "/v1/auth/me";
  if ((await send(url, "GET", path, user.token)) !== 200) throw new Error("the token was no good to begin with");
  const status = await act(url, user, admin);
  const begun = performance.now();
  if (status >= 300) throw new Error(`the revoking call answered ${status}`);
  while ((await send(url, "GET", path, user.token)) !== 401)
    if (performance.now() - begun > 10_000) throw new Error("the token is still good after 10 s");
  return performance.now() - begun;
}

try {
  const admin = await login(url, ADMIN.email, ADMIN.password);
  const samples = new Map<string, number[]>(Object.keys(REVOCATIONS).map((kind) => [kind, []]));
  const kinds = Object.entries(REVOCATIONS);
  for (let index = 0; index < tries; index += 1) {
    const [kind, act] = kinds[index % kinds.length] as [string, Revocation];
    samples.get(kind)?.push(await measure(act, admin));
    progress("revocations", index + 1, tries);
  }
  printMachine();
  for (const [kind, times] of samples) console.log(`${kind.padEnd(16)} ${describe(times)}`);
  console.log(`${"all".padEnd(16)} ${describe([...samples.values()].flat())}`);
} finally {
  await stack.stop();
}
