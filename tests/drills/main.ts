// `pnpm drill`: what an operator does to a running system, done under load, with every failed request counted. See --help.
import { randomBytes } from "node:crypto";
import { Command, InvalidArgumentError, Option } from "commander";
import { keyChapters, KEYS_ENVIRONMENT } from "./plans/keys.ts";
import type { Chapter } from "./plans/plan.ts";
import { SECRETS_ENVIRONMENT, secretChapters } from "./plans/secrets.ts";
import { printReport } from "./report.ts";
import { run } from "./run.ts";

interface Options {
  readonly seed: string;
  readonly rate: number;
  readonly only?: string;
  readonly logs?: string;
  readonly json?: boolean;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("A whole number above zero is needed.");
  return count;
}

function choose(chapters: readonly Chapter[], only: string | undefined): readonly Chapter[] {
  if (only === undefined) return chapters;
  const names = only.split(",");
  const unknown = names.filter((name) => !chapters.some((chapter) => chapter.name === name));
  if (unknown.length > 0)
    throw new Error(`--only: there is no ${unknown.join()}, but ${chapters.map(({ name }) => name).join()}`);
  return chapters.filter(({ name }) => names.includes(name));
}

async function drill(chapters: readonly Chapter[], options: Options, environment?: NodeJS.ProcessEnv): Promise<void> {
  const begun = performance.now();
  const note = (line: string) =>
    void process.stderr.write(`${((performance.now() - begun) / 1_000).toFixed(0).padStart(4)} s  ${line}\n`);
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stopping.abort(new Error(`ended by ${signal}`)));
  const { seed, rate, only, logs: logFolder, json } = options;
  note(`seed ${seed}`);
  try {
    const chosen = choose(chapters, only);
    const report = await run({
      chapters: chosen,
      seed,
      rate,
      logFolder,
      note,
      signal: stopping.signal,
      ...(environment && { environment }),
    });
    console.log(json ? JSON.stringify(report, null, 2) : printReport(report));
    process.exitCode = report.passed ? 0 : 1;
  } catch (error) {
    console.error(`seed ${seed}:`, error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

function command(name: string, description: string, chapters: readonly Chapter[]): Command {
  return new Command(name)
    .description(description)
    .addOption(
      new Option("--seed <text>", "the same seed makes the same choices").default(
        randomBytes(3).toString("hex"),
        "a new one",
      ),
    )
    .addOption(new Option("--rate <count>", "requests a second").argParser(parseCount).default(100))
    .option("--only <names>", `only these procedures, comma-separated: ${chapters.map((one) => one.name).join(", ")}`)
    .option("--logs <folder>", "write the services' logs there")
    .option("--json", "the report as JSON");
}

const keys = command(
  "keys",
  "rotate the keys that sign access tokens, and change their algorithm",
  keyChapters({ realTime: false }),
)
  .option("--real-time", "wait the 15 minutes until a new key signs, instead of 100 seconds")
  .action((options: Options & { readonly realTime?: boolean }) =>
    drill(keyChapters({ realTime: options.realTime === true }), options, KEYS_ENVIRONMENT),
  );

const secrets = command(
  "secrets",
  "change every secret and password, and show that the old one is good for nothing then",
  secretChapters(),
).action((options: Options) => drill(secretChapters(), options, SECRETS_ENVIRONMENT));

await new Command("pnpm drill")
  .description(
    "Does to a running Gatehouse what an operator does, under load: two processes of each service, with PostgreSQL, NATS and Redis of " +
      "their own. Every answer is counted; exit 1 when a single one is not as it should be.",
  )
  .addCommand(keys)
  .addCommand(secrets)
  .parseAsync();
