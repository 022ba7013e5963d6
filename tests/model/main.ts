// `pnpm test:model`: the model of sessions against the auth service, for longer than `pnpm test` has time for. See --help.
import { Command, InvalidArgumentError, Option } from "commander";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const VITEST = join(ROOT, "node_modules", "vitest", "vitest.mjs");
const FILE = "services/auth/test/integration/session-model.test.ts";
const NO_END = 1_000_000;

interface Options {
  readonly minutes: number;
  readonly seed?: number;
  readonly path?: string;
  readonly grace?: string;
}

function positive(value: string): number {
  const number = Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError("It must be a number above 0.");
}

/** What the test reads: how long for each of its graces, and what to repeat. */
function environmentOf({ minutes, seed, path, grace }: Options): NodeJS.ProcessEnv {
  const graces = grace === undefined ? 2 : 1;
  return {
    MODEL_SECONDS: String(Math.ceil((minutes * 60) / graces)),
    MODEL_RUNS: String(path === undefined ? NO_END : 1),
    ...(seed !== undefined && { MODEL_SEED: String(seed) }),
    ...(path !== undefined && { MODEL_PATH: path }),
    ...(grace !== undefined && { MODEL_GRACE: grace }),
    ...(process.stderr.isTTY && { MODEL_PROGRESS: "true" }),
  };
}

function testModel(options: Options): void {
  const child = spawn(process.execPath, [VITEST, "run", FILE], {
    cwd: ROOT,
    env: { ...process.env, ...environmentOf(options) },
    stdio: "inherit",
  });
  child.once("error", (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  // Ctrl-C reaches vitest by the terminal; its end is awaited here.
  process.on("SIGINT", () => undefined);
  child.once("close", (code) => (process.exitCode = code ?? 1));
}

const program = new Command("pnpm test:model")
  .description(
    "Searches random interleavings of logins, refreshes and revocations for one that the model of sessions does not explain; exit 1 when there is one.",
  )
  .option("--minutes <n>", "how long to search, and to shorten what is found", positive, 5)
  .option("--seed <n>", "the seed that a run printed", positive)
  .addOption(new Option("--grace <seconds>", "only with this reuse grace").choices(["0", "10"]))
  .option("--path <path>", "the one failure that a run printed, with its --seed and --grace")
  .action(testModel);

program.parse();
