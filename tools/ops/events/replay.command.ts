import { OperatorError } from "@gatehouse/errors";
import {
  createReplayer,
  findLetters,
  type LetterFilter,
  type ReplayCandidate,
  type Replayer,
} from "@gatehouse/messaging";
import { Command, Option } from "commander";
import { setTimeout as sleep } from "node:timers/promises";
import { findBus, type FoundBus } from "../connect.ts";
import { confirm, createProgressBar, printable, type Terminal } from "../terminal.ts";
import { letterOptions, parseCount } from "./options.ts";

interface Options extends Pick<LetterFilter, "consumer" | "type" | "since" | "user" | "error"> {
  readonly id?: readonly string[];
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly rate: number;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** The exit code of shells for a command that Ctrl-C ended. */
const INTERRUPTED = 130;

const DETAILS = `
The event keeps its id and returns to its stream, for the consumer that gave up on it only. Consumers that do not know the header
Gatehouse-Replay-For receive it again. The letter is deleted when the stream has the event. An event that fails again becomes a new letter.
The command can be interrupted and repeated safely: it continues with the letters that are left.`;

export function replayCommand(terminal: Terminal): Command {
  const command = new Command("replay")
    .description("return dead letters to the consumers that gave up on them, the oldest first; fix the cause before")
    .option("--id <id...>", "with these letter numbers or event ids");
  for (const option of letterOptions()) command.addOption(option);
  return command
    .option("--all", "all dead letters")
    .option("--dry-run", "print what would be replayed, and change nothing")
    .addOption(new Option("--rate <n>", "letters a second, at most").argParser(parseCount).default(100))
    .option("--yes", "do not ask for confirmation")
    .option("--json", "print the result as JSON")
    .addHelpText("after", DETAILS)
    .action((options: Options) => replay(options, terminal));
}

async function replay(options: Options, terminal: Terminal): Promise<void> {
  const filter = filterOf(options);
  const { connection } = await findBus(terminal);
  try {
    const replayer = await createReplayer({ connection, now: () => new Date() });
    const chosen = await chooseLetters(connection, replayer, filter);
    const { numbers, refused } = chosen;
    if (options.id !== undefined && numbers.length === 0 && refused.length === 0)
      throw new OperatorError(
        "No such dead letter. List them with `pnpm ops events dead`; a replayed letter is deleted.",
      );
    if (options.dryRun || numbers.length === 0 || !(await isConfirmed(chosen, options, terminal)))
      return print(options, chosen, newReport(numbers), terminal);
    const report = await replayLetters(replayer, numbers, options.rate, terminal);
    print(options, chosen, report, terminal);
    if (report.failure !== undefined)
      throw new OperatorError(`The bus failed (${report.failure.message}). Run the same command again to continue.`);
    if (report.left > 0) terminal.exitCode = INTERRUPTED;
  } finally {
    await connection.close();
  }
}

/** @throws OperatorError when neither filters nor --all are set, or both */
function filterOf({ id, consumer, type, since, user, error, all }: Options): LetterFilter {
  const filter: LetterFilter = { ids: id, consumer, type, since, user, error };
  const isNarrowed = Object.values(filter).some((value) => value !== undefined);
  if (!isNarrowed && !all) throw new OperatorError("Set a filter (see --help) or --all.");
  if (isNarrowed && all) throw new OperatorError("Use either --all or filters, not both.");
  return filter;
}

interface ChosenLetters {
  /** The oldest first. */
  readonly numbers: readonly number[];
  readonly byConsumer: ReadonlyMap<string, number>;
  readonly refused: readonly { readonly letter: number; readonly consumer: string; readonly reason: string }[];
}

/** Chooses among the letters of this moment, so that a letter that fails again is not replayed forever. */
async function chooseLetters(
  connection: FoundBus["connection"],
  replayer: Replayer,
  filter: LetterFilter,
): Promise<ChosenLetters> {
  // Without their payloads, which may be many.
  const found: ReplayCandidate[] = [];
  await findLetters(connection, filter, ({ number, consumer, diedAt, envelope, stream, subject }) =>
    found.push({ number, consumer, diedAt, envelope, stream, subject }),
  );
  const numbers: number[] = [];
  const byConsumer = new Map<string, number>();
  const refused: { letter: number; consumer: string; reason: string }[] = [];
  for (const letter of found) {
    const reason = await replayer.objection(letter);
    if (reason !== undefined) {
      refused.push({ letter: letter.number, consumer: letter.consumer, reason });
      continue;
    }
    numbers.push(letter.number);
    byConsumer.set(letter.consumer, (byConsumer.get(letter.consumer) ?? 0) + 1);
  }
  return { numbers, byConsumer, refused };
}

/** @throws OperatorError when there is no terminal to ask */
async function isConfirmed({ numbers, byConsumer }: ChosenLetters, { yes }: Options, terminal: Terminal) {
  if (yes) return true;
  if (!terminal.input.isTTY)
    throw new OperatorError("There is no terminal to ask for confirmation. Use --yes to replay, or --dry-run.");
  const counts = [...byConsumer].map(([consumer, count]) => `${count} of ${consumer}`).join(", ");
  const isWanted = await confirm(`Replay ${numbers.length} dead letters (${counts})?`, terminal);
  if (!isWanted) terminal.exitCode = 1;
  return isWanted;
}

interface ReplayReport {
  replayed: number;
  /** Deleted before their replay: replayed by another command, or expired. */
  deleted: number;
  /** Not replayed because of an interruption or a failure. */
  left: number;
  failure: Error | undefined;
}

const newReport = (numbers: readonly number[]): ReplayReport => ({
  replayed: 0,
  deleted: 0,
  left: numbers.length,
  failure: undefined,
});

/** Replays the letters in order. It can stop anywhere: a letter that is not replayed stays a dead letter. */
async function replayLetters(
  replayer: Replayer,
  numbers: readonly number[],
  perSecond: number,
  terminal: Terminal,
): Promise<ReplayReport> {
  const bar = createProgressBar("replaying", numbers.length, terminal.errors);
  const signal = terminal.interruption();
  const report = newReport(numbers);
  const begun = performance.now();
  for (const [index, number] of numbers.entries()) {
    const early = begun + (index * 1_000) / perSecond - performance.now();
    if (early > 0) await sleep(early, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    try {
      report[(await replayer.replay(number)) ? "replayed" : "deleted"] += 1;
    } catch (error) {
      report.failure = error as Error;
      break;
    }
    report.left -= 1;
    bar.show(index + 1);
  }
  bar.clear();
  return report;
}

function print({ dryRun = false, json }: Options, chosen: ChosenLetters, report: ReplayReport, terminal: Terminal) {
  const { numbers, byConsumer, refused } = chosen;
  const { replayed, deleted, left } = report;
  if (refused.length > 0) terminal.exitCode = 1;
  if (json) {
    const consumers = Object.fromEntries(byConsumer);
    const counts = { chosen: numbers.length, consumers, replayed, gone: deleted, left, refused };
    return terminal.print(JSON.stringify({ dry_run: dryRun, ...counts }));
  }
  for (const { letter, consumer, reason } of refused)
    terminal.print(printable(`#${letter} of ${consumer} stays a dead letter: ${reason}`));
  if (!dryRun)
    terminal.print(
      `replayed ${replayed}${deleted > 0 ? `, ${deleted} were already deleted` : ""}${left > 0 ? `, ${left} are left` : ""}`,
    );
  else if (numbers.length === 0) terminal.print("would replay nothing");
  else for (const [consumer, count] of byConsumer) terminal.print(`would replay ${count} of ${consumer}`);
}
