import { findLetters, type StoredLetter } from "@gatehouse/messaging";
import { Command } from "commander";
import { findBus } from "../find-bus.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { briefAge, printable } from "../terminal/text.ts";
import { consumerOption, dataOption, errorOption, sinceOption, typeOption, userOption } from "./options.ts";
import { groupLetters, letterJson, letterLines } from "./show-letter.ts";

interface Options {
  readonly consumer?: string;
  readonly type?: string;
  readonly since?: Date;
  readonly user?: string;
  readonly error?: string;
  readonly summary?: boolean;
  readonly data?: boolean;
  readonly json?: boolean;
}

export function deadCommand(terminal: Terminal): Command {
  return new Command("dead")
    .description("list the dead letters: events that a consumer gave up on; the oldest first")
    .addOption(consumerOption())
    .addOption(typeOption())
    .addOption(sinceOption("that died within so long (10m, 2h, 7d), or since a time"))
    .addOption(userOption())
    .addOption(errorOption())
    .option("--summary", "how many, by consumer and error")
    .addOption(dataOption())
    .option("--json", "the result as JSON")
    .action((options: Options) => dead(options, terminal));
}

async function dead({ summary, data, json, ...filter }: Options, terminal: Terminal): Promise<void> {
  const { connection } = await findBus(terminal);
  const letters: StoredLetter[] = [];
  try {
    await findLetters(connection, filter, (letter) => letters.push(letter));
  } finally {
    await connection.close();
  }
  const now = new Date();
  const lines = summary
    ? summaryLines(letters, now, json === true)
    : listLines(letters, now, json === true, data === true);
  for (const line of lines) terminal.print(line);
}

function listLines(letters: readonly StoredLetter[], now: Date, asJson: boolean, withData: boolean): string[] {
  if (asJson) return [JSON.stringify({ dead_letters: letters.map((letter) => letterJson(letter, now, withData)) })];
  if (letters.length === 0) return ["no dead letters"];
  return letters.flatMap((letter) => letterLines(letter, now, withData));
}

function summaryLines(letters: readonly StoredLetter[], now: Date, asJson: boolean): string[] {
  const groups = groupLetters(letters);
  // Dates become RFC 3339 in JSON by themselves.
  if (asJson) return [JSON.stringify({ total: letters.length, groups })];
  const age = (date: Date): string => briefAge(now.getTime() - date.getTime());
  const lines = groups.map(({ consumer, error, count, oldest, newest }) =>
    printable(`${count}  ${consumer}  ${error}  from ${age(oldest)} to ${age(newest)} ago`),
  );
  return [...lines, `${letters.length} in all`];
}
