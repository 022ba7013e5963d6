import { createInterface as createPrompt } from "node:readline";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** A command's input, output and environment. */
export interface Terminal {
  readonly variables: NodeJS.ProcessEnv;
  /** Prints one line of the result. */
  print(line: string): void;
  /** For answers. */
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** For errors, questions and progress. */
  readonly errors: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Returns a signal that aborts at SIGINT or SIGTERM; a second one ends the process. Called once a command. */
  interruption(): AbortSignal;
  exitCode: number;
}

/** Returns the terminal of this process. */
export function processTerminal(): Terminal {
  // A reader such as `head` closes the pipe when it has enough.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
  return {
    variables: process.env,
    print: (line) => console.log(line),
    input: process.stdin,
    errors: process.stderr,
    interruption,
    exitCode: 0,
  };
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  return controller.signal;
}

/** Resolves when the signal aborts, at once when it has. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

/** Asks on `errors` and reads the answer. Everything but yes, the end of the input too, is no. */
export async function confirm(
  question: string,
  { input, errors }: Pick<Terminal, "input" | "errors">,
): Promise<boolean> {
  const dialogue = createInterface({ input, output: errors });
  const end = new Promise<string>((resolve) => dialogue.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([dialogue.question(`${question} [y/N] `), end]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    dialogue.close();
  }
}

/**
 * Asks both questions and reads the answers without echo.
 * @returns the answer; undefined when the two differ or the input ends
 */
export async function askTwice(
  questions: readonly [string, string],
  { input, errors }: Pick<Terminal, "input" | "errors">,
): Promise<string | undefined> {
  // `terminal: true` switches the terminal's own echo off; this output discards readline's.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const dialogue = createPrompt({ input, output, terminal: true, historySize: 0 });
  const lines = dialogue[Symbol.asyncIterator]();
  const answers: (string | undefined)[] = [];
  try {
    for (const question of questions) {
      errors.write(question);
      const { value, done } = await lines.next();
      errors.write("\n");
      answers.push(done === true ? undefined : value);
    }
  } finally {
    dialogue.close();
  }
  const [first, second] = answers;
  return first === second ? first : undefined;
}

export interface ProgressBar {
  show(done: number): void;
  clear(): void;
}

const WIDTH = 30;
const CLEAR_LINE = "\r\u001B[K";

/** Returns a bar on `output` when that is a terminal, else one that shows nothing. */
export function createProgressBar(label: string, total: number, output: Terminal["errors"]): ProgressBar {
  if (!output.isTTY) return { show: () => undefined, clear: () => undefined };
  return {
    show(done) {
      const filled = Math.floor((done / Math.max(1, total)) * WIDTH);
      const bar = "#".repeat(filled) + "-".repeat(WIDTH - filled);
      output.write(`${CLEAR_LINE}${label} [${bar}] ${done}/${total}`);
    },
    clear: () => void output.write(CLEAR_LINE),
  };
}

/** Replaces control characters, which could move the cursor or hide text. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, "?");
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
] as const;

/** Returns a duration in its largest whole unit: `3d`, `5h`, `12m`, `40s`. */
export function briefAge(milliseconds: number): string {
  const unit = UNITS.find(([, length]) => milliseconds >= length);
  return unit === undefined
    ? `${Math.max(0, Math.floor(milliseconds / 1_000))}s`
    : `${Math.floor(milliseconds / unit[1])}${unit[0]}`;
}
