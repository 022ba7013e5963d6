import { OperatorError } from "@gatehouse/errors";
import { createReplayer, type LetterFilter } from "@gatehouse/messaging";
import { Command, Option } from "commander";
import { findBus } from "../find-bus.ts";
import { confirm } from "../terminal/confirm.ts";
import { createProgressBar } from "../terminal/progress-bar.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/text.ts";
import { type ChosenLetters, chooseLetters } from "./choose-letters.ts";
import { consumerOption, errorOption, parseCount, sinceOption, typeOption, userOption } from "./options.ts";
import { replayLetters, type ReplayReport } from "./replay-letters.ts";

interface Options {
  readonly id?: readonly string[];
  readonly consumer?: string;
  readonly type?: string;
  readonly since?: Date;
  readonly user?: string;
  readonly error?: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly rate: number;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** As a shell says of a command that Ctrl-C has ended. */
const INTERRUPTED = 130;

const DETAILS = `
The event keeps its id and goes back into its stream, for the consumer that gave up on it only; consumers that do not know of
the Gatehouse-Replay-For header see it once more. The letter is deleted when the stream has the event. One that fails again becomes a new letter.
Interrupted, or run twice, it loses nothing and does no harm: the same command goes on with what is left.`;

export function replayCommand(terminal: Terminal): Command {
  return new Command("replay")
    .description(
      "give dead letters back to the consumers that gave up on them, once the cause is mended; the oldest first",
    )
    .option("--id <id...>", "the letters with these numbers, or of the events with these ids")
    .addOption(consumerOption())
    .addOption(typeOption())
    .addOption(sinceOption("that died within so long (10m, 2h, 7d), or since a time"))
    .addOption(userOption())
    .addOption(errorOption())
    .option("--all", "all of them")
    .option("--dry-run", "say what would be replayed, and do nothing")
    .addOption(new Option("--rate <n>", "letters a second at the most").argParser(parseCount).default(100))
    .option("--yes", "do not ask")
    .option("--json", "the result as JSON")
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
        "There is no such dead letter: `pnpm ops events dead` lists them. One that was replayed is gone.",
      );
    if (options.dryRun || numbers.length === 0 || !(await isConfirmed(chosen, options, terminal)))
      return print(options, chosen, { replayed: 0, gone: 0, left: numbers.length, failure: undefined }, terminal);
    const bar = createProgressBar("replaying", numbers.length, terminal.errors);
    const signal = terminal.interruption();
    const report = await replayLetters(replayer, numbers, { perSecond: options.rate, signal, onProgress: bar.show });
    bar.clear();
    print(options, chosen, report, terminal);
    if (report.failure !== undefined)
      throw new OperatorError(
        `The bus failed (${report.failure.message}). The same command goes on with what is left.`,
      );
    if (report.left > 0) terminal.exitCode = INTERRUPTED;
  } finally {
    await connection.close();
  }
}

/** @throws OperatorError when it does not say which letters are meant */
function filterOf({ id, consumer, type, since, user, error, all }: Options): LetterFilter {
  const filter: LetterFilter = { ids: id, consumer, type, since, user, error };
  const isNarrowed = Object.values(filter).some((value) => value !== undefined);
  if (!isNarrowed && !all) throw new OperatorError("Which ones? Narrow them down (see --help), or say --all.");
  if (isNarrowed && all) throw new OperatorError("--all means all of them: leave it or the filters out.");
  return filter;
}

/** @throws OperatorError when somebody has to be asked and nobody is there */
async function isConfirmed(
  { numbers, byConsumer }: ChosenLetters,
  { yes }: Options,
  terminal: Terminal,
): Promise<boolean> {
  if (yes) return true;
  const { input, errors } = terminal;
  if (!input.isTTY) throw new OperatorError("Nobody is there to be asked: say --yes to replay, or --dry-run to look.");
  const whose = [...byConsumer].map(([consumer, count]) => `${count} of ${consumer}`).join(", ");
  const isWanted = await confirm(`Replay ${numbers.length} dead letters (${whose})?`, input, errors);
  if (!isWanted) terminal.exitCode = 1;
  return isWanted;
}

function print(options: Options, chosen: ChosenLetters, report: ReplayReport, terminal: Terminal): void {
  if (chosen.refused.length > 0) terminal.exitCode = 1;
  for (const line of options.json ? [jsonLine(options, chosen, report)] : textLines(options, chosen, report))
    terminal.print(line);
}

function jsonLine({ dryRun }: Options, { numbers, byConsumer, refused }: ChosenLetters, report: ReplayReport): string {
  const { replayed, gone, left } = report;
  const consumers = Object.fromEntries(byConsumer);
  const counts = { chosen: numbers.length, consumers, replayed, gone, left, refused };
  return JSON.stringify({ dry_run: dryRun === true, ...counts });
}

function textLines(
  { dryRun }: Options,
  { numbers, byConsumer, refused }: ChosenLetters,
  report: ReplayReport,
): string[] {
  const { replayed, gone, left } = report;
  const stays = refused.map(({ letter, consumer, reason }) =>
    printable(`#${letter} of ${consumer} stays a dead letter: ${reason}`),
  );
  if (!dryRun)
    return [
      ...stays,
      `replayed ${replayed}${gone > 0 ? `, ${gone} were gone` : ""}${left > 0 ? `, ${left} are left` : ""}`,
    ];
  const would = [...byConsumer].map(([consumer, count]) => `would replay ${count} of ${consumer}`);
  return [...stays, ...(numbers.length > 0 ? would : ["would replay nothing"])];
}
