import { adminPasswordInput, emailInput } from "@gatehouse/contracts";
import { isAppError, OperatorError } from "@gatehouse/errors";
import { Command, InvalidArgumentError } from "commander";
import { text } from "node:stream/consumers";
import { withAuth } from "../open-auth.ts";
import { askTwice } from "../terminal/ask-secret.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options {
  readonly email: string;
  readonly passwordStdin?: boolean;
  readonly json?: boolean;
}

const DETAILS = `
The account is active and verified, and shows in the user service when that has had the event. An account that has the email is not promoted.`;

export function adminCommand(terminal: Terminal): Command {
  const create = new Command("create")
    .description("create an admin; asks for the password, without showing it")
    .requiredOption("--email <email>", "with which the admin logs in", parseEmail)
    .option("--password-stdin", "read the password from standard input, without its line end")
    .option("--json", "the result as JSON")
    .addHelpText("after", DETAILS)
    .action((options: Options) => createAdmin(options, terminal));
  return new Command("admin").description("the people who may do everything").addCommand(create);
}

async function createAdmin({ email, passwordStdin, json }: Options, terminal: Terminal): Promise<void> {
  const password = parsePassword(passwordStdin ? await readAll(terminal) : await askFor(terminal));
  try {
    const { id } = await withAuth(terminal, (auth) => auth.createAdmin({ email, password }));
    terminal.print(json ? JSON.stringify({ user_id: id }) : `created admin ${id}`);
  } catch (error) {
    if (!isAppError(error, "EmailAlreadyExists")) throw error;
    throw new OperatorError(
      "An account has that email, and was not changed: choose another one, or have an admin promote it.",
    );
  }
}

/** @throws InvalidArgumentError */
function parseEmail(value: string): string {
  const { data } = emailInput().safeParse(value);
  if (data === undefined) throw new InvalidArgumentError("It must be an email address.");
  return data;
}

/** @throws OperatorError */
function parsePassword(value: string): string {
  const { data, error } = adminPasswordInput().safeParse(value);
  if (data === undefined) throw new OperatorError(`The password ${error?.issues[0]?.message ?? "is not valid"}.`);
  return data;
}

async function readAll({ input }: Terminal): Promise<string> {
  return (await text(input)).replace(/\r?\n$/, "");
}

/** @throws OperatorError when nobody is there, or what is typed twice is not the same */
async function askFor({ input, errors }: Terminal): Promise<string> {
  if (!input.isTTY) throw new OperatorError("Nobody is there to be asked for a password: say --password-stdin.");
  const password = await askTwice(["Password: ", "Once more: "], input, errors);
  if (password === undefined) throw new OperatorError("The two were not the same. Nothing was done.");
  return password;
}
