import { until } from "@gatehouse/test-kit/api";
import { note } from "@gatehouse/test-kit/run";
import { skewedClock } from "@gatehouse/test-kit/system";
import type { Procedure, Step } from "../plan.ts";
import { authEnvironment, type DrillSystem, restartRolling, runPnpm } from "../system.ts";

/** The time until a new key signs: `pnpm ops keys rotate` waits 15 minutes. Auth and verifiers know the key after 100 s. */
const SECONDS_BEFORE_SIGNING = 15 * 60;
const SHORTENED_SECONDS = 100;
/** The shortest lifetime, so that a token expires within the drill. */
export const KEYS_ENVIRONMENT = { ACCESS_TOKEN_EXPIRE_MINUTES: "1" };
/** A token's lifetime, auth's margin after it, and auth's interval. */
const RETIRED_WITHIN_SECONDS = 60 + 120 + 60;
/** For a loaded machine. */
const GRACE_SECONDS = 60;

interface ListedKey {
  readonly kid: string;
  readonly state: "next" | "signing" | "verifying";
}

/** @param isRealTime waits 15 minutes instead of setting the command's clock back */
export function keyProcedures(isRealTime: boolean): readonly Procedure[] {
  const clock = isRealTime ? {} : skewedClock(SHORTENED_SECONDS - SECONDS_BEFORE_SIGNING);
  const algorithm = { JWT_ALGORITHM: "ES256" };
  const [key, other, now] = [createRotation(), createRotation(), createRotation()];
  return [
    { name: "key", steps: [key.publish("`pnpm ops keys rotate`", [], clock), key.signing, key.retired] },
    {
      name: "algorithm",
      steps: [
        other.publish("`JWT_ALGORITHM=ES256 pnpm ops keys rotate`", [], { ...clock, ...algorithm }),
        {
          title: "restart auth with `JWT_ALGORITHM=ES256`",
          run: ({ system }) => restartRolling(system, "auth", algorithm),
        },
        other.signing,
      ],
    },
    { name: "now", steps: [now.publish("`pnpm ops keys rotate --now`", ["--now"], {}), now.signing] },
  ];
}

/** The steps of one rotation. */
function createRotation() {
  let oldKid = "";
  let newKey = { kid: "", signs_from: "" };
  const secondsUntilSigning = () => (Date.parse(newKey.signs_from) - Date.now()) / 1_000;
  const signing: Step = {
    title: "wait until the new key signs",
    async run({ load, signal }) {
      const withinMs = (Math.max(0, secondsUntilSigning()) + GRACE_SECONDS) * 1_000;
      const what = "a token of the new key was accepted";
      await until(() => load.keys.has(newKey.kid), withinMs, { what, everyMs: 250, signal });
      if (secondsUntilSigning() > 1) throw new Error("the new key signed before its time");
    },
  };
  const retired: Step = {
    title: "wait until the old key is retired",
    async run({ system, load, signal }) {
      const isRetired = async () => (await listKeys(system)).every(({ kid }) => kid !== oldKid);
      const withinMs = (RETIRED_WITHIN_SECONDS + GRACE_SECONDS) * 1_000;
      await until(isRetired, withinMs, { what: "the old key is retired", everyMs: 250, signal });
      note(`tokens of the old key opened ${load.keys.get(oldKid) ?? 0} requests`);
    },
  };
  return {
    ...{ signing, retired },
    publish: (title: string, args: readonly string[], environment: NodeJS.ProcessEnv): Step => ({
      title,
      async run({ system }) {
        oldKid = (await listKeys(system)).find(({ state }) => state === "signing")?.kid ?? "";
        newKey = await runPnpm("ops", ["keys", "rotate", ...args], { ...authEnvironment(system), ...environment });
      },
    }),
  };
}

async function listKeys(system: DrillSystem): Promise<readonly ListedKey[]> {
  return (await runPnpm<{ keys: ListedKey[] }>("ops", ["keys", "list"], authEnvironment(system))).keys;
}
