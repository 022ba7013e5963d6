// `pnpm drill`: procedures of operators on a running system, under load. See --help.
import { createRunFolder } from "@gatehouse/local-stack";
import { abortBySignal, countOption, note, type Report, reportCommand } from "@gatehouse/test-kit/run";
import { Command } from "commander";
import { startLoad } from "./load.ts";
import { createReport, perform, type Procedure } from "./plan.ts";
import { KEYS_ENVIRONMENT, keyProcedures } from "./plans/keys.ts";
import { runRestore } from "./plans/restore.ts";
import { SECRETS_ENVIRONMENT, secretProcedures } from "./plans/secrets.ts";
import { installBuild, upgradeProcedures } from "./plans/upgrade.ts";
import { startDrillSystem, type SystemOptions } from "./system.ts";

interface Options {
  readonly rate: number;
  readonly logs?: string;
  readonly only?: string;
}

const SETTLE_MS = 2_000;

/** Runs the procedures on a new system under load. @throws Error when `--only` names no procedure */
async function drill(procedures: readonly Procedure[], options: Options, how: SystemOptions): Promise<Report> {
  const { rate, only, logs: logFolder } = options;
  const chosen = procedures.filter(({ name }) => only === undefined || only.split(",").includes(name));
  if (chosen.length === 0) throw new Error(`--only: use some of ${procedures.map(({ name }) => name).join()}.`);
  const signal = abortBySignal();
  await using system = await startDrillSystem({ logFolder, ...how });
  const load = await startLoad(system.balancer.next, rate);
  const steps = await perform(chosen, { system, load, signal, settleMs: SETTLE_MS }).finally(load.stop);
  return createReport(load, steps);
}

async function drillUpgrade({ from, ...options }: Options & { readonly from: string }): Promise<Report> {
  note(`installing ${from} and the working tree`);
  await using releases = new AsyncDisposableStack();
  const builds = createRunFolder();
  releases.defer(() => builds.remove());
  const [tree, next] = [await installBuild(builds.path, from), await installBuild(builds.path)];
  return await drill(upgradeProcedures({ old: tree, next }), options, { tree });
}

function command(name: string, description: string, run: (options: never) => Promise<Report>): Command {
  return reportCommand(name, description, run)
    .addOption(countOption("rate", "requests a second", 100))
    .option("--logs <folder>", "write the services' logs to this folder");
}

const only = (procedures: readonly Procedure[]) =>
  ["--only <names>", `only these, comma-separated: ${procedures.map(({ name }) => name).join(", ")}`] as const;

await new Command("pnpm drill")
  .description(
    "Runs an operator's procedures on Gatehouse under load: two processes of each service, with PostgreSQL, NATS and Redis of their own. " +
      "Exit code 1 when one request fails.",
  )
  .addCommand(
    command(
      "keys",
      "rotate the signing keys, and change their algorithm",
      ({ realTime = false, ...options }: Options & { realTime?: boolean }) =>
        drill(keyProcedures(realTime), options, { environment: KEYS_ENVIRONMENT }),
    )
      .option("--real-time", "wait 15 minutes until a new key signs, instead of 100 seconds")
      .option(...only(keyProcedures(false))),
  )
  .addCommand(
    command(
      "secrets",
      "change every secret and password, and prove that the old one does not work",
      (options: Options) => drill(secretProcedures(), options, { environment: SECRETS_ENVIRONMENT }),
    ).option(...only(secretProcedures())),
  )
  .addCommand(
    command("upgrade", "upgrade to another build with migrations, and roll back", drillUpgrade).option(
      ...(["--from <revision>", "the old build: a tag or a commit", "HEAD"] as const),
    ),
  )
  .addCommand(
    command("restore", "dump a running system, lose everything, restore the dump, and compare", (options: Options) =>
      runRestore({ ...options, signal: abortBySignal() }),
    ),
  )
  .parseAsync();
