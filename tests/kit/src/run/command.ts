import { Command, InvalidArgumentError, Option } from "commander";
import { randomBytes } from "node:crypto";
import { machine } from "./figures.ts";

/** The result of a run: figures for programs, lines for people, and whether the run passed. */
export interface Report {
  readonly passed: boolean;
  readonly figures: object;
  readonly lines: readonly string[];
}

/**
 * Creates a command that prints a report: `--help`, `--json`, exit code 1 when the run failed or did not pass.
 * @param run gets the command's options
 */
export function reportCommand(name: string, description: string, run: (options: never) => Promise<Report>): Command {
  return new Command(name)
    .description(description)
    .option("--json", "print the report as JSON, with every figure")
    .action(async ({ json, ...options }: { json?: boolean; seed?: string }) => {
      try {
        const { passed, figures, lines } = await run(options as never);
        const { cores, node, load } = machine();
        if (json) console.log(JSON.stringify({ passed, machine: machine(), ...figures }, null, 2));
        else console.log([`machine: ${cores} cores, Node ${node}, load ${load.join(", ")}`, ...lines].join("\n"));
        process.exitCode = passed ? 0 : 1;
      } catch (error) {
        const seed = options.seed === undefined ? "" : `seed ${options.seed}: `;
        console.error(`${seed}${error instanceof Error ? error.message : String(error)}`);
        process.exitCode = 1;
      }
    });
}

/** An option that takes a whole number of at least 1. */
export function countOption(name: string, description: string, byDefault?: number): Option {
  const option = new Option(`--${name} <count>`, description).argParser(parseCount);
  return byDefault === undefined ? option : option.default(byDefault);
}

export function seedOption(): Option {
  const seed = randomBytes(3).toString("hex");
  return new Option("--seed <text>", "repeats the choices of the run with this seed").default(seed, "a new one");
}

/** @throws InvalidArgumentError, which commander shows with the option's name */
function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("Expected a whole number of at least 1.");
  return count;
}

/** Returns a signal that the first SIGINT or SIGTERM aborts, so that the run cleans up. A second one ends the process. */
export function abortBySignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));
  return stopping.signal;
}
