import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDatabase } from "../database.ts";
import { explainingFailures } from "../schema/setup-error.ts";
import { type Column, readColumns } from "./columns.ts";
import { type Drift, driftProgram, type TablesType } from "./drift-program.ts";

export type { Drift };

interface DriftOptions {
  /** The URL with the service's own role. */
  readonly url: string;
  readonly tables: TablesType;
  /** The repository, whose compiler and tsconfig.base.json are used. */
  readonly root: URL;
}

/**
 * Compares the tables' types with the migrated schema in both directions: tables, columns, types, nullability, and the required and
 * permitted columns of an insert. The compiler compares them, so the types may be written in any form.
 * @throws DatabaseSetupError when the database does not answer; Error when the types do not compile
 */
export async function checkDrift({ url, tables, root }: DriftOptions): Promise<Drift[]> {
  const columns = await explainingFailures(url, () => columnsOf(url));
  const unknownTypes = columns.filter(({ type }) => type === undefined);
  const { text, claims } = driftProgram(columns, tables);
  const errors = await compile(text, fileURLToPath(root));
  const wrong = errors.find(({ line, isMismatch }) => !isMismatch || !claims.has(line));
  if (wrong) throw new Error(`the types in ${fileURLToPath(tables.file)} do not compile: ${wrong.message}`);
  return [
    ...errors.flatMap(({ line, message }) => claims.get(line)?.(message) ?? []),
    ...unknownTypes.map(({ table, name, sqlType }) => ({
      table,
      column: name,
      problem: `is ${sqlType}, a type that the drift check does not know: add it to libs/database/src/drift/columns.ts`,
    })),
  ];
}

async function columnsOf(url: string): Promise<Column[]> {
  const limits = { poolSize: 1, maxOverflow: 0, timeoutSeconds: 5, recycleSeconds: 3_600 };
  const database = createDatabase<never>({ url, ...limits, applicationName: "gatehouse-migrate" });
  try {
    return await readColumns(database.db);
  } finally {
    await database.close();
  }
}

const NOT_ASSIGNABLE = "TS2322";

interface CompilerError {
  readonly line: number;
  readonly isMismatch: boolean;
  readonly message: string;
}

/** Returns the compiler's errors in the program itself; the type check reports those in imported files. */
async function compile(text: string, root: string): Promise<CompilerError[]> {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  if (!existsSync(compiler)) throw new Error("the drift check needs the development dependencies: run `pnpm install`");
  const folder = await mkdtemp(join(tmpdir(), "gatehouse-drift-"));
  try {
    const config = {
      extends: join(root, "tsconfig.base.json"),
      compilerOptions: { noUnusedLocals: false, types: ["node"], typeRoots: [join(root, "node_modules/@types")] },
      files: ["drift.mts"],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    await writeFile(join(folder, "drift.mts"), text);
    const output = await run(process.execPath, [compiler, "--project", folder, "--pretty", "false"], folder);
    return [...output.matchAll(/^drift\.mts\((\d+),\d+\): error (TS\d+): (.*)$/gm)].map(
      ([, line, code, message = ""]) => ({
        line: Number(line),
        isMismatch: code === NOT_ASSIGNABLE,
        message,
      }),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      // The compiler exits with 1 or 2 for errors in the program; without an exit code it did not run.
      if (error && typeof error.code !== "number") reject(new Error("the compiler did not run", { cause: error }));
      else if (stderr !== "") reject(new Error(`the compiler failed: ${stderr}`));
      else resolve(stdout);
    });
  });
}
