import { skewedClock } from "@gatehouse/test-kit/system";
import { authEnvironment } from "../system/auth-environment.ts";
import { runPnpm } from "../system/command.ts";
import { roll } from "../system/roll.ts";
import type { System } from "../system/system.ts";
import { type Chapter, type Drill, type Step, until } from "./plan.ts";

/** What `pnpm ops keys rotate` waits before the new key signs. */
const SECONDS_BEFORE_SIGNING = 15 * 60;
/** The same in a drill: auth reads the keys every 30 s, verifiers once a minute, so that all know the key by then. */
const SHORTENED_SECONDS = 100;
/** The shortest lifetime that can be set, so that a token's whole life fits into the drill. */
export const KEYS_ENVIRONMENT = { ACCESS_TOKEN_EXPIRE_MINUTES: "1" };
const TOKEN_SECONDS = 60;
/** The margin of auth's after the last token has expired, and how often it looks. */
const RETIRED_WITHIN_SECONDS = 120 + 60;
/** What a loaded machine may take on top. */
const GRACE_SECONDS = 60;

interface ListedKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly state: "next" | "signing" | "verifying";
}

interface NewKey {
  readonly kid: string;
  readonly signs_from: string;
}

/** @param options.realTime waits the whole 15 minutes, instead of giving the command a clock that is behind */
export function keyChapters({ realTime }: { readonly realTime: boolean }): readonly Chapter[] {
  const wait = realTime ? {} : skewedClock(SHORTENED_SECONDS - SECONDS_BEFORE_SIGNING);
  return [newKey(wait), otherAlgorithm(wait), atOnce()];
}

function newKey(clock: NodeJS.ProcessEnv): Chapter {
  const rotation = createRotation();
  return {
    name: "key",
    steps: [
      { title: "`pnpm ops keys rotate`", run: ({ system }) => rotation.publish(system, [], clock) },
      rotation.signing,
      rotation.retired,
    ],
  };
}

function otherAlgorithm(clock: NodeJS.ProcessEnv): Chapter {
  const rotation = createRotation();
  const algorithm = { JWT_ALGORITHM: "ES256" };
  return {
    name: "algorithm",
    steps: [
      {
        title: "`JWT_ALGORITHM=ES256 pnpm ops keys rotate`",
        run: ({ system }) => rotation.publish(system, [], { ...clock, ...algorithm }),
      },
      { title: "restart auth with `JWT_ALGORITHM=ES256`", run: ({ system }) => roll(system, "auth", algorithm) },
      rotation.signing,
    ],
  };
}

function atOnce(): Chapter {
  const rotation = createRotation();
  return {
    name: "now",
    steps: [
      { title: "`pnpm ops keys rotate --now`", run: ({ system }) => rotation.publish(system, ["--now"], {}) },
      rotation.signing,
    ],
  };
}

/** One rotation, from step to step. */
function createRotation() {
  let old: string | undefined;
  let published: NewKey | undefined;

  const current = (): NewKey => {
    if (published === undefined) throw new Error("no key was published");
    return published;
  };
  const secondsUntilSigning = () => (Date.parse(current().signs_from) - Date.now()) / 1_000;

  const signing: Step = {
    title: "wait until the new key signs",
    async run(drill) {
      const { kid } = current();
      const within = Math.max(0, secondsUntilSigning()) + GRACE_SECONDS;
      await until(drill, "no token of the new key was accepted", within, () => drill.load.keys.has(kid));
      if (secondsUntilSigning() > 1) throw new Error("the new key signed before its time");
    },
  };
  const retired: Step = {
    title: "wait until the old key is retired",
    async run(drill) {
      const within = TOKEN_SECONDS + RETIRED_WITHIN_SECONDS + GRACE_SECONDS;
      const isGone = async () => !(await listKeys(drill)).some(({ kid }) => kid === old);
      await until(drill, "the old key is still there", within, isGone);
      const uses = drill.load.keys.get(old ?? "");
      drill.note(`tokens of the old key opened ${uses?.accepted ?? 0} requests`);
    },
  };
  return {
    signing,
    retired,
    async publish(system: System, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
      old = (await listKeys({ system })).find(({ state }) => state === "signing")?.kid;
      published = await runPnpm<NewKey>("ops", ["keys", "rotate", ...args], {
        ...authEnvironment(system),
        ...environment,
      });
    },
  };
}

async function listKeys({ system }: Pick<Drill, "system">): Promise<readonly ListedKey[]> {
  return (await runPnpm<{ keys: ListedKey[] }>("ops", ["keys", "list"], authEnvironment(system))).keys;
}
