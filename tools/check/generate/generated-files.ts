import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";

/** Files of the repository that a program writes from something else in it. */
export interface Generated {
  /** `pnpm NAME` writes them. */
  readonly name: string;
  /** What they are, for --help: `docs/asyncapi.json, the AsyncAPI document of …`. */
  readonly what: string;
  /** Where what they say is decided: `the schemas of libs/contracts`. */
  readonly source: string;
  /** Their texts, by path from the root. */
  readonly files: () => ReadonlyMap<string, string>;
}

interface Options {
  readonly check?: boolean;
  readonly json?: boolean;
}

const inRepository = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

function present(path: string): string | undefined {
  try {
    return readFileSync(inRepository(path), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function run({ name, source, files }: Generated, { check = false, json = false }: Options): void {
  const results = [...files()].map(([file, wanted]) => {
    const wasCurrent = present(file) === wanted;
    if (!wasCurrent && !check) writeFileSync(inRepository(file), wanted);
    return { file, was_current: wasCurrent, written: !wasCurrent && !check };
  });
  for (const { file, was_current: wasCurrent } of json ? [] : results)
    if (wasCurrent) console.log(`${file} is current`);
    else if (check) console.error(`${file} is not what ${source} say: run \`pnpm ${name}\``);
    else console.log(`${file} written`);
  if (json) console.log(JSON.stringify({ files: results }));
  if (check && results.some(({ was_current: wasCurrent }) => !wasCurrent)) process.exitCode = 1;
}

/** The program that writes them: `--check` only compares, for `pnpm check`. */
export async function runGenerator(generated: Generated): Promise<void> {
  await new Command(`pnpm ${generated.name}`)
    .description(`Writes ${generated.what}.`)
    .option("--check", "write nothing; exit 1 when one is not current")
    .option("--json", "the result as JSON")
    .action((options: Options) => run(generated, options))
    .parseAsync();
}
