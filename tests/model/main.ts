// `pnpm test:model`: compares the auth service with the model of sessions for longer than `pnpm test` does. See --help.
import { Command, InvalidArgumentError, Option } from "commander";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const VITEST = join(ROOT, "node_modules", "vitest", "vitest.mjs");
const FILE = "services/auth/test/integration/session-model.test.ts";
const UNLIMITED_RUNS = 1_000_000;

interface Options {
  readonly minutes: number;
  readonly seed?: number;
  readonly path?: string;
  readonly grace?: string;
}

function positive(value: string): number {
  const number = Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError("The value must be a number above 0.");
}

/** Returns the environment of the test: the time for each grace and the failure to repeat. */
function environmentOf({ minutes, seed, path, grace }: Options): NodeJS.ProcessEnv {
  const graces = grace === undefined ? 2 : 1;
  return {
    MODEL_SECONDS: String(Math.ceil((minutes * 60) / graces)),
    MODEL_RUNS: String(path === undefined ? UNLIMITED_RUNS : 1),
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
  // The terminal sends Ctrl-C to vitest too; this process waits for its end.
  process.on("SIGINT", () => undefined);
  child.once("close", (code) => (process.exitCode = code ?? 1));
}

const program = new Command("pnpm test:model")
  .description(
    "Searches random interleavings of logins, refreshes and revocations for a result that the model of sessions does not explain. Exits with 1 when it finds one.",
  )
  .option("--minutes <n>", "minutes to search and to shorten a failure", positive, 5)
  .option("--seed <n>", "repeat the seed that a run printed", positive)
  .addOption(new Option("--grace <seconds>", "test only this reuse grace").choices(["0", "10"]))
  .option("--path <path>", "repeat one failure that a run printed; needs its --seed and --grace")
  .action(testModel);

program.parse();
