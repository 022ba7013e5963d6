import { login, NEW_PASSWORD, PASSWORD, type Person, register } from "@gatehouse/test-kit/api";
import { createTally } from "@gatehouse/test-kit/run";
import { createSend, type Send } from "../load.ts";

/** Registers users whose actions before and after the dump are known. */
export async function createWitnesses(nextUrl: () => string) {
  const [stayed, left, changed] = [await register(nextUrl()), await register(nextUrl()), await register(nextUrl())];
  let late: Person = stayed;

  /** @throws Error when an answer has another status */
  async function sending(work: (send: Send) => Promise<void>): Promise<void> {
    const tally = createTally();
    await work(createSend(nextUrl, tally));
    if (tally.failures.length > 0) throw new Error(`unexpected answers: ${tally.failures.join("; ")}`);
  }

  return {
    /** After the dump: one logs out, one changes the password, and a new one registers. */
    change: () =>
      sending(async (send) => {
        await send(204, "POST", "/v1/auth/logout", { token: left.token });
        const json = { current_password: PASSWORD, new_password: NEW_PASSWORD };
        await send(204, "POST", "/v1/auth/change-password", { token: changed.token, json });
        late = await register(nextUrl());
      }),
    /** @throws Error when the restored system answers differently than expected */
    check: () =>
      sending(async (send) => {
        // Every earlier access token is invalid.
        for (const { token } of [stayed, left, changed, late]) await send(401, "GET", "/v1/auth/me", { token });
        // Sessions are as they were in the dump: those that ended later are alive.
        for (const { cookie } of [stayed, left, changed]) {
          const refreshed = await send(200, "POST", "/v1/auth/refresh", { cookie });
          await send(200, "GET", "/v1/auth/me", { token: String(refreshed?.body["access_token"]) });
        }
        // So are passwords and users.
        for (const [status, { email: username }, password] of [
          [200, changed, PASSWORD],
          [401, changed, NEW_PASSWORD],
          [401, late, PASSWORD],
        ] as const)
          await send(status, "POST", "/v1/auth/login", { form: { username, password } });
        const { token } = await login(nextUrl(), stayed.email);
        await send(200, "PATCH", "/v1/users/me", { token, json: { full_name: "Known again" } });
      }),
  };
}
