// `pnpm check generated`: files that a program writes from other files of the repository. See --help.
import { createAsyncApiDocument } from "@gatehouse/contracts/asyncapi";
import { Command } from "commander";
import { routeTable } from "./route-table.ts";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Generator {
  /** The files that decide the content, for messages. */
  readonly source: string;
  /** Returns the content by path from the root. */
  readonly files: () => ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>;
}

/** All generators; `pnpm check` compares their files and `pnpm check --fix` writes them. */
const GENERATORS: readonly Generator[] = [
  {
    source: "the event schemas in libs/contracts",
    files: () => new Map([["docs/asyncapi.json", `${JSON.stringify(createAsyncApiDocument(), null, 2)}\n`]]),
  },
  {
    source: "services/*/service.ts",
    files: () => new Map([["services/gateway/src/routes/route-table.generated.ts", routeTable()]]),
  },
];

interface Options {
  readonly check?: boolean;
  readonly json?: boolean;
}

async function generate({ check = false, json = false }: Options): Promise<void> {
  const results = [];
  for (const { source, files } of GENERATORS)
    for (const [file, wanted] of await files()) {
      const path = join(ROOT, file);
      const wasCurrent = existsSync(path) && readFileSync(path, "utf8") === wanted;
      if (!wasCurrent && !check) writeFileSync(path, wanted);
      results.push({ file, source, was_current: wasCurrent, written: !wasCurrent && !check });
    }
  for (const { file, source, was_current: wasCurrent } of json ? [] : results)
    if (wasCurrent) console.log(`${file} is current`);
    else if (check) console.error(`${file} does not match ${source}. Run \`pnpm check --fix\`.`);
    else console.log(`${file} written`);
  if (json) console.log(JSON.stringify({ files: results }));
  if (check && results.some(({ was_current: wasCurrent }) => !wasCurrent)) process.exitCode = 1;
}

/** The path of every generated file, from the root. */
export async function generatedFiles(): Promise<string[]> {
  const lists = await Promise.all(GENERATORS.map(async ({ files }) => [...(await files()).keys()]));
  return lists.flat();
}

if (import.meta.main)
  await new Command("node tools/check/generated.ts")
    .description("Writes the generated files: docs/asyncapi.json and the gateway's route table.")
    .option("--check", "write nothing; exit 1 when a file is not current")
    .option("--json", "print the result as JSON")
    .action(generate)
    .parseAsync();
