import type { ServiceHandle } from "@gatehouse/test-kit";
import { call, type Person, until } from "@gatehouse/test-kit/api";

/** What a verifier logs when another part decides about tokens. */
const LINES = {
  view: "revocation view decides about tokens",
  auth: "revocation view is stale, auth decides about tokens",
  nobody: "revocation status is unavailable, rejecting tokens",
};

/** Sends requests with the person's token until the service logs that the given part decides about tokens. */
export async function untilDecides(
  who: keyof typeof LINES,
  { url, logs }: ServiceHandle,
  { token }: Person,
): Promise<void> {
  const isReport = (line: string) => Object.values(LINES).some((text) => line.includes(text));
  await until(async () => {
    await call(url, "GET", "/v1/users/me", { token });
    return logs().findLast(isReport)?.includes(LINES[who]) ?? false;
  }, 20_000);
}
