// `pnpm asyncapi`: docs/asyncapi.json from the events' schemas. See --help.
import { createAsyncApiDocument } from "@gatehouse/contracts/asyncapi";
import { Command } from "commander";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PATH = "docs/asyncapi.json";
const FILE = fileURLToPath(new URL(`../${PATH}`, import.meta.url));

function present(): string | undefined {
  try {
    return readFileSync(FILE, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

interface Options {
  readonly check?: boolean;
  readonly json?: boolean;
}

function run({ check, json }: Options): void {
  const wanted = `${JSON.stringify(createAsyncApiDocument(), null, 2)}\n`;
  const isCurrent = present() === wanted;
  if (!isCurrent && !check) writeFileSync(FILE, wanted);
  if (json) console.log(JSON.stringify({ file: PATH, was_current: isCurrent, written: !isCurrent && !check }));
  else if (isCurrent) console.log(`${PATH} is current`);
  else if (check) console.error(`${PATH} is not what the schemas of libs/contracts say: run \`pnpm asyncapi\``);
  else console.log(`${PATH} written`);
  if (check && !isCurrent) process.exitCode = 1;
}

const program = new Command("pnpm asyncapi")
  .description(`Writes ${PATH}, the AsyncAPI 3.0 document of all events, from their schemas in libs/contracts.`)
  .option("--check", "write nothing; exit 1 when the file is not current")
  .option("--json", "the result as JSON")
  .action(run);

await program.parseAsync();
