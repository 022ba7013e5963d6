import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

type Plant = [what: string, path: string, text: string, rule: string | null];

/** What is planted: the file, its text, and the rule that must speak up, or null where the text is allowed. */
const PLANTS: readonly Plant[] = [
  ...violations("no-restricted-imports", {
    "a service imports another": ["services/user/src/services/a.service.ts", `import "@gatehouse/auth";`],
    "a service re-exports another": ["services/user/src/a.ts", `export * from "@gatehouse/gateway";`],
    "a service reaches into another's folder": ["services/user/src/b.ts", `import "../../auth/src/app.ts";`],
    "a lib imports a service": ["libs/access/src/a.ts", `import "@gatehouse/user";`],
    "a lib reaches into a service's folder": ["libs/access/src/b.ts", `import "../../../services/user/src/app.ts";`],
    "a script reaches into a service's folder": ["tools/a.ts", `import "../services/user/src/app.ts";`],
    "a script imports a service": ["tools/b.ts", `import "@gatehouse/auth/operations";`],
    "an operator's command imports more than operations": ["tools/ops/a.ts", `import "@gatehouse/auth";`],
    "a lib reaches into another's folder": ["libs/access/src/c.ts", `import "../../http/src/app.ts";`],
    "a route imports a repository": [
      "services/auth/src/routes/a.route.ts",
      `import "../repositories/a.repository.ts";`,
    ],
    "a route imports the database": ["services/auth/src/routes/b.route.ts", `import "../db/database.ts";`],
    "a route speaks SQL": ["services/auth/src/routes/c.route.ts", `import "kysely";`],
    "a route imports a service process": ["services/auth/src/routes/d.route.ts", `import "@gatehouse/user";`],
    "a service imports fastify": ["services/auth/src/services/a.service.ts", `import "fastify";`],
    "a service imports a type of fastify": [
      "services/auth/src/services/b.service.ts",
      `import type { FastifyRequest } from "fastify";`,
    ],
    "a service imports a plugin of fastify": ["services/auth/src/services/c.service.ts", `import "@fastify/cookie";`],
    "a service imports the lib of apps": ["services/auth/src/services/d.service.ts", `import "@gatehouse/http";`],
    "a service imports a route": ["services/auth/src/services/e.service.ts", `import "../routes/a.route.ts";`],
    "a repository imports a service": [
      "services/auth/src/repositories/a.repository.ts",
      `import "../services/a.service.ts";`,
    ],
    "a repository imports fastify": ["services/auth/src/repositories/b.repository.ts", `import "fastify";`],
    "an example imports a service": ["examples/audit-log/src/a.ts", `import "@gatehouse/auth";`],
    "a lib imports an example": ["libs/access/src/d.ts", `import "@gatehouse/audit-log";`],
    "an example's route imports a repository": [
      "examples/audit-log/src/routes/a.route.ts",
      `import "../repositories/a.repository.ts";`,
    ],
    "somebody takes the environment by import": ["services/auth/src/c.ts", `import { env } from "node:process";`],
  }),
  ...violations("no-process-env", {
    "a service reads the environment outside config.ts": ["services/auth/src/main.ts", `export const a = process.env;`],
    "an example reads the environment outside config.ts": [
      "examples/audit-log/src/main.ts",
      `export const a = process.env;`,
    ],
    "a lib reads the environment": ["libs/http/src/a.ts", `export const a = process.env["A"];`],
  }),
  ...violations("no-cycle", {
    "a module imports itself by another": [
      "libs/http/src/x.ts",
      `import { y } from "./y.ts";\nexport const x = () => y;`,
    ],
    "two modules need each other's types": [
      "libs/http/src/v.ts",
      `import type { W } from "./w.ts";\nexport interface V {\n  w: W;\n}`,
    ],
  }),
  ...violations("no-floating-promises", {
    "a promise is left alone": ["libs/http/src/d.ts", `export const d = () => {\n  Promise.resolve(1);\n};`],
  }),
  [
    "a route names a type of a repository",
    "services/auth/src/routes/e.route.ts",
    `import type { A } from "../repositories/a.repository.ts";\nexport type B = A;`,
    null,
  ],
  [
    "an operator's command imports a service's operations",
    "tools/ops/b.ts",
    `import "@gatehouse/auth/operations";`,
    null,
  ],
  ["config.ts reads the environment", "services/auth/src/config.ts", `export const a = process.env;`, null],
  ["a test imports its own sources", "services/auth/test/unit/a.test.ts", `import "../../src/app.ts";`, null],
];

function violations(rule: string, plants: Record<string, [path: string, text: string]>): Plant[] {
  return Object.entries(plants).map(([what, [path, text]]): Plant => [what, path, text, rule]);
}

let found: Diagnostic[];
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-boundaries-"));
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  };
  for (const file of [".oxlintrc.json", "tsconfig.base.json", "tsconfig.json"])
    cpSync(join(ROOT, file), join(folder, file));
  // The linter finds its type-aware half and the types of Node there.
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [, path, text] of PLANTS) write(path, text);
  write("libs/http/src/y.ts", `import { x } from "./x.ts";\nexport const y = () => x;`);
  write("libs/http/src/w.ts", `import type { V } from "./v.ts";\nexport interface W {\n  v: V;\n}`);
  const lint = join(ROOT, "node_modules", "oxlint", "bin", "oxlint");
  const output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [lint, "--format", "json", "libs", "services", "examples", "tools"],
      { cwd: folder },
      (_error, stdout) => resolve(stdout),
    );
  });
  found = (JSON.parse(output) as { diagnostics: Diagnostic[] }).diagnostics;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the linter", () => {
  it.each(PLANTS)("when %s: %s", (_what, path, _text, rule) => {
    const rules = found.filter(({ filename }) => filename === path).map(({ code }) => code);
    if (rule === null) expect(rules).toEqual([]);
    else expect(rules).toContainEqual(expect.stringContaining(`(${rule})`));
  });
});
