import { Command } from "commander";
import { withAuth } from "../open-auth.ts";
import { OpsError } from "../ops-error.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options {
  readonly now?: boolean;
  readonly json?: boolean;
}

const DETAILS = `
Verifiers read the keys once a minute and auth every 30 s. The old key goes on verifying until the last token that it signed has expired.`;

export function keysCommand(terminal: Terminal): Command {
  const list = new Command("list")
    .description("the keys that verify access tokens, and which one signs")
    .option("--json", "the result as JSON")
    .action((options: Options) => listKeys(options, terminal));
  const rotate = new Command("rotate")
    .description("publish a new key, which signs after 15 minutes, when every verifier has it")
    .option(
      "--now",
      "sign at once, when the old key must not: verifiers may refuse tokens until they have read the new key",
    )
    .option("--json", "the result as JSON")
    .addHelpText("after", DETAILS)
    .action((options: Options) => rotateKeys(options, terminal));
  return new Command("keys").description("the keys that sign access tokens").addCommand(list).addCommand(rotate);
}

async function listKeys({ json }: Options, terminal: Terminal): Promise<void> {
  const keys = await withAuth(terminal, (auth) => auth.listKeys());
  if (json) {
    const listed = keys.map(({ kid, algorithm, state, createdAt, signsFrom }) => ({
      kid,
      algorithm,
      state,
      created_at: createdAt,
      signs_from: signsFrom,
    }));
    return terminal.print(JSON.stringify({ keys: listed }));
  }
  if (keys.length === 0) terminal.print("no keys: auth makes the first one when it starts");
  for (const { kid, algorithm, state, signsFrom } of keys)
    terminal.print(`${kid}  ${algorithm}  ${state.padEnd(9)}  signs from ${signsFrom.toISOString()}`);
}

async function rotateKeys({ now, json }: Options, terminal: Terminal): Promise<void> {
  const key = await withAuth(terminal, (auth) => auth.rotateKeys({ immediately: now === true }));
  if (key === undefined) throw new OpsError("There is no key to follow: auth makes the first one when it starts.");
  const { kid, signsFrom } = key;
  terminal.print(
    json ? JSON.stringify({ kid, signs_from: signsFrom }) : `published ${kid}, signs from ${signsFrom.toISOString()}`,
  );
}
