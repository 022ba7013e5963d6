import { adminPasswordInput, emailInput } from "@gatehouse/contracts";
import { isAppError, OperatorError } from "@gatehouse/errors";
import { Command, InvalidArgumentError } from "commander";
import { text } from "node:stream/consumers";
import { withAuth } from "./connect.ts";
import { askTwice, type Terminal } from "./terminal.ts";

interface Json {
  readonly json?: boolean;
}

const JSON_OPTION = ["--json", "print the result as JSON"] as const;

export function adminCommand(terminal: Terminal): Command {
  const create = new Command("create")
    .description("create an admin; asks for the password without showing it")
    .requiredOption("--email <email>", "the admin's email", parseEmail)
    .option("--password-stdin", "read the password from standard input, without its line end")
    .option(...JSON_OPTION)
    .addHelpText(
      "after",
      "\nThe account is active and verified. The user service shows it after it received the event. An existing account is not promoted.",
    )
    .action((options: AdminOptions) => createAdmin(options, terminal));
  return new Command("admin").description("administrators").addCommand(create);
}

interface AdminOptions extends Json {
  readonly email: string;
  readonly passwordStdin?: boolean;
}

async function createAdmin({ email, passwordStdin, json }: AdminOptions, terminal: Terminal): Promise<void> {
  const given = passwordStdin ? (await text(terminal.input)).replace(/\r?\n$/, "") : await askForPassword(terminal);
  const { data: password, error: invalid } = adminPasswordInput().safeParse(given);
  if (password === undefined) throw new OperatorError(`The password ${invalid?.issues[0]?.message ?? "is not valid"}.`);
  try {
    const { id } = await withAuth(terminal, (auth) => auth.createAdmin({ email, password }));
    terminal.print(json ? JSON.stringify({ user_id: id }) : `created admin ${id}`);
  } catch (error) {
    if (!isAppError(error, "EmailAlreadyExists")) throw error;
    throw new OperatorError(
      "An account with that email exists and was not changed. Choose another email, or let an admin promote the account.",
    );
  }
}

/** @throws InvalidArgumentError */
function parseEmail(value: string): string {
  const { data } = emailInput().safeParse(value);
  if (data === undefined) throw new InvalidArgumentError("It must be an email address.");
  return data;
}

/** @throws OperatorError without a terminal, or when the two answers differ */
async function askForPassword(terminal: Terminal): Promise<string> {
  if (!terminal.input.isTTY)
    throw new OperatorError("There is no terminal to ask for a password. Use --password-stdin.");
  const password = await askTwice(["Password: ", "Repeat: "], terminal);
  if (password === undefined) throw new OperatorError("The two passwords differ. Nothing was changed.");
  return password;
}

export function keysCommand(terminal: Terminal): Command {
  const list = new Command("list")
    .description("list the keys that verify access tokens, and which one signs")
    .option(...JSON_OPTION)
    .action((options: Json) => listKeys(options, terminal));
  const rotate = new Command("rotate")
    .description("publish a new key, which signs after 15 minutes, when every verifier has it")
    .option("--now", "sign after 35 seconds, when every auth has read it; verifiers then fetch the unknown key")
    .option(...JSON_OPTION)
    .addHelpText(
      "after",
      "\nVerifiers read the keys every minute, auth every 30 s. The old key verifies until its last token has expired.",
    )
    .action((options: Json & { readonly now?: boolean }) => rotateKeys(options, terminal));
  const reseal = new Command("reseal")
    .description("encrypt the private keys under the first value of JWT_SECRET_KEY, so that the others can be removed")
    .option(...JSON_OPTION)
    .action((options: Json) => resealKeys(options, terminal));
  const retire = new Command("retire")
    .description("reject every token that a superseded key has signed; clients refresh theirs")
    .argument("<kid>", "as in `keys list`")
    .option(...JSON_OPTION)
    .action((kid: string, options: Json) => retireKey(kid, options, terminal));
  const keys = new Command("keys").description("keys that sign access tokens");
  for (const command of [list, rotate, reseal, retire]) keys.addCommand(command);
  return keys;
}

async function listKeys({ json }: Json, terminal: Terminal): Promise<void> {
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
  if (keys.length === 0) terminal.print("no keys: auth makes the first key when it starts");
  for (const { kid, algorithm, state, signsFrom } of keys)
    terminal.print(`${kid}  ${algorithm}  ${state.padEnd(9)}  signs from ${signsFrom.toISOString()}`);
}

async function rotateKeys({ now, json }: Json & { readonly now?: boolean }, terminal: Terminal): Promise<void> {
  const key = await withAuth(terminal, (auth) => auth.rotateKeys({ soon: now === true }));
  if (key === undefined) throw new OperatorError("There is no key to rotate. Start auth, which makes the first key.");
  const { kid, signsFrom } = key;
  terminal.print(
    json ? JSON.stringify({ kid, signs_from: signsFrom }) : `published ${kid}, signs from ${signsFrom.toISOString()}`,
  );
}

async function resealKeys({ json }: Json, terminal: Terminal): Promise<void> {
  const { keys, resealed } = await withAuth(terminal, (auth) => auth.resealKeys());
  terminal.print(
    json
      ? JSON.stringify({ keys, resealed })
      : `${keys} keys are encrypted under the first value of JWT_SECRET_KEY; ${resealed.length} were encrypted now`,
  );
}

async function retireKey(kid: string, { json }: Json, terminal: Terminal): Promise<void> {
  const retired = await withAuth(terminal, (auth) => auth.retireKey(kid));
  if (!retired)
    throw new OperatorError(
      `${kid} is not a superseded key. List the keys with \`pnpm ops keys list\`, and publish a successor with \`pnpm ops keys rotate\`.`,
    );
  terminal.print(json ? JSON.stringify({ retired: kid }) : `retired ${kid}: its tokens are rejected from now on`);
}

export function tokensCommand(terminal: Terminal): Command {
  const cleanup = new Command("cleanup")
    .description("remove expired tokens in batches; auth does so every minute, and only one cleanup runs at a time")
    .option(...JSON_OPTION)
    .action((options: Json) => cleanUp(options, terminal));
  return new Command("tokens").description("refresh tokens and their sessions").addCommand(cleanup);
}

async function cleanUp({ json }: Json, terminal: Terminal): Promise<void> {
  const { expiredTokens, sessions, sealedSuccessors } = await withAuth(terminal, (auth) => auth.cleanUpTokens());
  terminal.print(
    json
      ? JSON.stringify({ expired_tokens: expiredTokens, sessions, sealed_successors: sealedSuccessors })
      : `removed ${expiredTokens} expired tokens, ${sessions} sessions and ${sealedSuccessors} sealed successors`,
  );
}
