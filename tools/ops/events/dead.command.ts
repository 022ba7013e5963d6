import { findLetters, type LetterFilter, type StoredLetter } from "@gatehouse/messaging";
import { Command } from "commander";
import { findBus } from "../connect.ts";
import { briefAge, printable, type Terminal } from "../terminal.ts";
import { dataOption, letterOptions } from "./options.ts";
import { groupLetters, letterJson, letterLines } from "./show.ts";

interface Options extends Pick<LetterFilter, "consumer" | "type" | "since" | "user" | "error"> {
  readonly summary?: boolean;
  readonly data?: boolean;
  readonly json?: boolean;
}

export function deadCommand(terminal: Terminal): Command {
  const command = new Command("dead").description(
    "list dead letters, the oldest first: events that a consumer gave up on",
  );
  for (const option of letterOptions()) command.addOption(option);
  return command
    .option("--summary", "count them by consumer and error")
    .addOption(dataOption())
    .option("--json", "print the result as JSON")
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
  const withData = data === true;
  const groups = groupLetters(letters);
  if (json) {
    const list = letters.map((letter) => letterJson(letter, now, withData));
    return terminal.print(JSON.stringify(summary ? { total: letters.length, groups } : { dead_letters: list }));
  }
  if (summary) {
    const age = (date: Date): string => briefAge(now.getTime() - date.getTime());
    for (const { consumer, error, count, oldest, newest } of groups)
      terminal.print(printable(`${count}  ${consumer}  ${error}  from ${age(oldest)} to ${age(newest)} ago`));
    return terminal.print(`${letters.length} in all`);
  }
  if (letters.length === 0) terminal.print("no dead letters");
  for (const letter of letters) for (const line of letterLines(letter, now, withData)) terminal.print(line);
}
