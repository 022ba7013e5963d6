import { OperatorError } from "@gatehouse/errors";
import { Command } from "commander";
import { withAuth } from "../open-auth.ts";
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
      "sign after 35 seconds, when every auth has read it: verifiers then look the new key up as they meet it",
    )
    .option("--json", "the result as JSON")
    .addHelpText("after", DETAILS)
    .action((options: Options) => rotateKeys(options, terminal));
  const reseal = new Command("reseal")
    .description("encrypt the private keys under the first value of JWT_SECRET_KEY, so that the others can go")
    .option("--json", "the result as JSON")
    .action((options: Options) => resealKeys(options, terminal));
  const retire = new Command("retire")
    .description("let no token verify any more that a superseded key has signed; its holders refresh theirs")
    .argument("<kid>", "as `keys list` shows it")
    .option("--json", "the result as JSON")
    .action((kid: string, options: Options) => retireKey(kid, options, terminal));
  const keys = new Command("keys").description("the keys that sign access tokens");
  for (const command of [list, rotate, reseal, retire]) keys.addCommand(command);
  return keys;
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
  const key = await withAuth(terminal, (auth) => auth.rotateKeys({ soon: now === true }));
  if (key === undefined) throw new OperatorError("There is no key to follow: auth makes the first one when it starts.");
  const { kid, signsFrom } = key;
  terminal.print(
    json ? JSON.stringify({ kid, signs_from: signsFrom }) : `published ${kid}, signs from ${signsFrom.toISOString()}`,
  );
}

async function resealKeys({ json }: Options, terminal: Terminal): Promise<void> {
  const { keys, resealed } = await withAuth(terminal, (auth) => auth.resealKeys());
  terminal.print(
    json
      ? JSON.stringify({ keys, resealed })
      : `${keys} keys are encrypted under the first value of JWT_SECRET_KEY, ${resealed.length} of them anew`,
  );
}

async function retireKey(kid: string, { json }: Options, terminal: Terminal): Promise<void> {
  const retired = await withAuth(terminal, (auth) => auth.retireKey(kid));
  if (!retired)
    throw new OperatorError(
      `${kid} is not a key that a newer one has superseded: see \`pnpm ops keys list\`, and publish its successor with \`pnpm ops keys rotate\`.`,
    );
  terminal.print(json ? JSON.stringify({ retired: kid }) : `retired ${kid}: what it signed is refused from now on`);
}
