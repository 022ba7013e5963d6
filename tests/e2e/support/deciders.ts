import type { ServiceHandle } from "@gatehouse/test-kit";
import { call, type Person, until } from "@gatehouse/test-kit/api";

/** What a verifier logs when somebody else decides than before. */
const LINES = {
  view: "the view of revocations decides",
  auth: "the view of revocations is not current: auth decides",
  nobody: "neither the view nor auth can tell whether tokens still stand",
};

/** Asks with the person's token until the service says in its log that so and so decides about tokens now. */
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
