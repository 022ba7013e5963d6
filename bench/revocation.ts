// How long a revoked access token lives: from the 2xx of the revoking call to the first 401 at the gateway,
// over tries of mixed kinds. Usage: pnpm bench:revocation [tries, default 200]
import { decodeClaims } from "./support/token.ts";
import { login, PASSWORD, register, send, type Session } from "./support/client.ts";
import { describe, printMachine, progress } from "./support/report.ts";
import { ADMIN, startStack } from "./support/stack.ts";

const tries = Number(process.argv[2] ?? 200);
const stack = await startStack();
const { url } = stack;

type Act = (user: Session, admin: Session) => Promise<number>;
const asAdmin =
  (method: string, json?: unknown): Act =>
  (user, admin) =>
    send(url, method, `/v1/admin/users/${user.id}`, admin.token, json);

const KINDS: Record<string, Act> = {
  logout: (user) => send(url, "POST", "/v1/auth/logout", user.token),
  "logout-all": (user) => send(url, "POST", "/v1/auth/logout-all", user.token),
  "change password": (user) =>
    send(url, "POST", "/v1/auth/change-password", user.token, {
      current_password: PASSWORD,
      new_password: "Battery-Staple-2",
    }),
  deactivate: asAdmin("PATCH", { is_active: false }),
  "role change": asAdmin("PATCH", { role: "admin" }),
  delete: asAdmin("DELETE"),
  "session removed": async (user) => {
    const other = await login(url, user.email);
    return send(url, "DELETE", `/v1/auth/sessions/${decodeClaims(user.token).sid}`, other.token);
  },
};

/** Milliseconds from the answer of `act` to the first 401. */
async function measure(act: Act, admin: Session): Promise<number> {
  const user = await register(url);
  const path = "/v1/auth/me";
  if ((await send(url, "GET", path, user.token)) !== 200) throw new Error("the token was no good to begin with");
  const status = await act(user, admin);
  const begun = performance.now();
  if (status >= 300) throw new Error(`the revoking call answered ${status}`);
  while ((await send(url, "GET", path, user.token)) !== 401)
    if (performance.now() - begun > 10_000) throw new Error("the token is still good after 10 s");
  return performance.now() - begun;
}

try {
  const admin = await login(url, ADMIN.email, ADMIN.password);
  const samples = new Map<string, number[]>(Object.keys(KINDS).map((kind) => [kind, []]));
  const kinds = Object.entries(KINDS);
  for (let index = 0; index < tries; index += 1) {
    const [kind, act] = kinds[index % kinds.length] as [string, Act];
    samples.get(kind)?.push(await measure(act, admin));
    progress("revocations", index + 1, tries);
  }
  printMachine();
  for (const [kind, times] of samples) console.log(`${kind.padEnd(16)} ${describe(times)}`);
  console.log(`${"all".padEnd(16)} ${describe([...samples.values()].flat())}`);
} finally {
  await stack.stop();
}
