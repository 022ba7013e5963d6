// `pnpm test:faults`: breaks everything around a running Gatehouse under load. See --help.
import { loginAdmin } from "@gatehouse/test-kit/api";
import {
  abortBySignal,
  countOption,
  createRandom,
  createTally,
  note,
  type Random,
  type Report,
  reportCommand,
  seedOption,
  show,
} from "@gatehouse/test-kit/run";
import { setTimeout as pause } from "node:timers/promises";
import { BusMessages } from "./bus-messages.ts";
import { startConsumers } from "./consumers.ts";
import { FAULTS, scheduleFaults } from "./faults.ts";
import { collectEvidence } from "./ledger/evidence.ts";
import { createLedger, printLedger, type RunRecord } from "./ledger/ledger.ts";
import type { Journal } from "./load/client.ts";
import { startLoad } from "./load/load.ts";
import { checkFinalState, startProber } from "./load/probes.ts";
import { waitUntilDrained, waitUntilRecovered } from "./recovery.ts";
import { type FaultySystem, MAX_STALENESS_SECONDS, startFaultySystem } from "./system.ts";

interface Options {
  readonly seed: string;
  readonly seconds: number;
  readonly clients: number;
  readonly only?: string;
  readonly logs?: string;
}

/** A revoked access token is rejected within staleness + 1 s (docs/reference/tokens.md). */
const REFUSED_WITHIN_MS = (MAX_STALENESS_SECONDS + 1) * 1_000;

async function testFaults(options: Options): Promise<Report> {
  const { seed, seconds, clients, logs } = options;
  const signal = abortBySignal();
  note(`seed ${seed}`);
  await using system = await startFaultySystem(logs);
  const { gatewayUrls, databaseUrls } = system;
  const [random, tally] = [createRandom(seed), createTally()];
  const journal: Journal = { entries: [], revoked: [], endedCookies: [], complaints: [], during: "no fault" };
  await waitUntilRecovered(system);
  const root = await loginAdmin(gatewayUrls[0] ?? "");
  const messages = new BusMessages(system.servers.nats.url);
  await using consumers = await startConsumers(system);

  const urls = [...gatewayUrls, system.services.user.url];
  const stopLoad = startLoad({
    ...{ clients, seed, gatewayUrls, rootToken: root.token, journal, tally },
    random: random.fork("load"),
  });
  const stopProber = startProber({
    // Twice the user service: a gateway's own view hides the view of the service behind it.
    ...{ urls: [...urls, system.services.user.url], journal, tally, random: random.fork("probe") },
    ...{ withinMs: REFUSED_WITHIN_MS, authOutages: system.authOutages.all },
  });
  const stop = () => Promise.all([stopLoad(), stopProber()]);
  const broken = await breakThings(system, options, { random: random.fork("faults"), messages, journal, signal }).catch(
    async (error: unknown) => {
      await stop();
      throw error;
    },
  );
  const [people, probed] = await stop();
  note("checking the final state");
  journal.during = "the final check";
  const checked = await checkFinalState({ urls, random: random.fork("final check"), journal, tally }, people);
  const drained = await waitUntilDrained(system);
  note("comparing tables, streams and answers");
  const evidence = await collectEvidence(databaseUrls.owner, consumers, messages, journal);
  const ledger = createLedger(evidence, {
    ...{ seed, seconds, probed, checked, rootId: root.id, answers: tally.byStatus() },
    faults: broken.faults,
    untried: FAULTS.map(({ name }) => name).filter((name) => broken.faults.every((fault) => fault.name !== name)),
    drainedMs: drained.ms,
    complaints: journal.complaints,
    forbidden: tally.failures,
    stuck: [...broken.stuck, ...drained.stuck],
  });
  return { passed: ledger.passed, figures: ledger, lines: [printLedger(ledger)] };
}

/** Runs faults until the time is over. After each the system must recover by itself. */
async function breakThings(
  system: FaultySystem,
  { seconds, only }: Options,
  run: { random: Random; messages: BusMessages; journal: Journal; signal: AbortSignal },
): Promise<Pick<RunRecord, "faults" | "stuck">> {
  const { random, messages, journal, signal } = run;
  const until = performance.now() + seconds * 1_000;
  const faults: RunRecord["faults"][number][] = [];
  const stuck: string[] = [];
  const hold = (least: number, most: number) => pause(random.integer(least, most));
  await hold(1_000, 2_000);
  for (const step of scheduleFaults(random, only)) {
    signal.throwIfAborted();
    if (performance.now() > until) break;
    const name = step.map((fault) => fault.name).join(" and ");
    show(name);
    journal.during = name;
    await Promise.all(step.map((fault) => fault.run({ system, random, messages, hold })));
    const recovery = await waitUntilRecovered(system);
    faults.push({ name, recoveredMs: recovery.ms });
    stuck.push(...recovery.stuck.map((what) => `after "${name}": ${what}`));
    note(`${name}: recovered after ${recovery.ms} ms`);
    await hold(500, 1_500);
  }
  return { faults, stuck };
}

await reportCommand(
  "pnpm test:faults",
  "Breaks everything around a running Gatehouse, at random by a seed, and checks that nothing is lost or invented. Exit code 1 when a check fails.",
  testFaults,
)
  .addOption(seedOption().env("FAULTS_SEED"))
  .addOption(countOption("seconds", "how long faults run", 240).env("FAULTS_SECONDS"))
  .addOption(countOption("clients", "clients at the same time", 8))
  .option("--only <text>", "only faults whose name contains this text, or one of several, comma-separated")
  .option("--logs <folder>", "write the services' logs to this folder")
  .parseAsync();
