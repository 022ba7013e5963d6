// `pnpm drill`: what an operator does to a running system, done under load, with every failed request counted. See --help.
import { createRunFolder } from "@gatehouse/local-stack";
import { abortBySignal, parseCount } from "@gatehouse/test-kit/command";
import { randomBytes } from "node:crypto";
import { Command, Option } from "commander";
import { keyChapters, KEYS_ENVIRONMENT } from "./plans/keys.ts";
import type { Chapter } from "./plans/plan.ts";
import { runRestore } from "./plans/restore.ts";
import { SECRETS_ENVIRONMENT, secretChapters } from "./plans/secrets.ts";
import { upgradeChapters } from "./plans/upgrade.ts";
import { printReport, type Report } from "./report.ts";
import { run, type RunOptions } from "./run.ts";
import { buildCommit, buildWorkingTree } from "./upgrade/builds.ts";

interface Options {
  readonly seed: string;
  readonly rate: number;
  readonly only?: string;
  readonly logs?: string;
  readonly json?: boolean;
}

function choose(chapters: readonly Chapter[], only: string | undefined): readonly Chapter[] {
  if (only === undefined) return chapters;
  const names = only.split(",");
  const unknown = names.filter((name) => !chapters.some((chapter) => chapter.name === name));
  if (unknown.length > 0)
    throw new Error(`--only: there is no ${unknown.join()}, but ${chapters.map(({ name }) => name).join()}`);
  return chapters.filter(({ name }) => names.includes(name));
}

/** What every drill is given. */
type Surroundings = Pick<RunOptions, "seed" | "rate" | "logFolder" | "note" | "signal">;

/** Runs a drill to its end: prints its report, exits with 1 when it did not pass. */
async function attempt(options: Options, perform: (surroundings: Surroundings) => Promise<Report>): Promise<void> {
  const begun = performance.now();
  const note = (line: string) =>
    void process.stderr.write(`${((performance.now() - begun) / 1_000).toFixed(0).padStart(4)} s  ${line}\n`);
  const signal = abortBySignal();
  const { seed, rate, logs: logFolder, json } = options;
  note(`seed ${seed}`);
  try {
    const report = await perform({ seed, rate, logFolder, note, signal });
    console.log(json ? JSON.stringify(report, null, 2) : printReport(report));
    process.exitCode = report.passed ? 0 : 1;
  } catch (error) {
    console.error(`seed ${seed}:`, error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

async function drill(chapters: readonly Chapter[], options: Options, environment?: NodeJS.ProcessEnv): Promise<void> {
  await attempt(options, (surroundings) =>
    run({ ...surroundings, chapters: choose(chapters, options.only), ...(environment && { environment }) }),
  );
}

/** From one build to another, each installed in a folder of its own. */
async function drillUpgrade({ from, ...options }: Options & { readonly from: string }): Promise<void> {
  await attempt(options, async (surroundings) => {
    surroundings.note(`installing ${from} and the working tree`);
    const builds = createRunFolder();
    try {
      const old = await buildCommit(from, builds.path);
      const next = await buildWorkingTree(builds.path);
      return await run({ ...surroundings, chapters: upgradeChapters({ old, next }), tree: old });
    } finally {
      await builds.remove();
    }
  });
}

/** @param chapters of which `--only` chooses some; without, they are done one after the other */
function command(name: string, description: string, chapters: readonly Chapter[] = []): Command {
  const names = chapters.map((one) => one.name);
  const one = new Command(name)
    .description(description)
    .addOption(
      new Option("--seed <text>", "the same seed makes the same choices").default(
        randomBytes(3).toString("hex"),
        "a new one",
      ),
    )
    .addOption(new Option("--rate <count>", "requests a second").argParser(parseCount).default(100))
    .option("--logs <folder>", "write the services' logs there")
    .option("--json", "the report as JSON");
  if (names.length > 0) one.option("--only <names>", `only these procedures, comma-separated: ${names.join(", ")}`);
  return one;
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

const upgrade = command("upgrade", "migrate and restart to another build and back, both on one schema meanwhile")
  .addOption(new Option("--from <revision>", "the build that is upgraded: a tag or a commit").default("HEAD"))
  .action(drillUpgrade);

const restore = command("restore", "dump a living system, lose everything, put the dump back, and compare").action(
  (options: Options) => attempt(options, runRestore),
);

await new Command("pnpm drill")
  .description(
    "Does to a running Gatehouse what an operator does, under load: two processes of each service, with PostgreSQL, NATS and Redis of " +
      "their own. Every answer is counted; exit 1 when a single one is not as it should be.",
  )
  .addCommand(keys)
  .addCommand(secrets)
  .addCommand(upgrade)
  .addCommand(restore)
  .parseAsync();
