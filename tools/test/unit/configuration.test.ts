import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readBy } from "../../check/read-by.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const text = (path: string) => readFileSync(`${ROOT}${path}`, "utf8");

/** What `pnpm start`, `pnpm migrate` and the tests read besides what they hand on to the services. */
const READ_BY_SCRIPTS = [
  ...["DATABASE_URL", "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"],
  ...[
    "AUTH_DATABASE_URL",
    "USER_DATABASE_URL",
    "AUDIT_DATABASE_URL",
    "NATS_URL",
    "NATS_PORT",
    "REDIS_URL",
    "REDIS_HOST",
    "REDIS_PORT",
    "REDIS_PASSWORD",
  ],
  ...["ENVIRONMENT", "DEBUG", "HOST", "GATEWAY_PORT", "AUTH_PORT", "USER_PORT"],
  ...["FIRST_ADMIN_EMAIL", "STACK_DIR", "TEST_STACK"],
];

const services = { A: await readBy("auth"), U: await readBy("user"), G: await readBy("gateway") };
const all = new Set([...Object.values(services).flat(), ...READ_BY_SCRIPTS]);
const sorted = (names: Iterable<string>) => [...names].toSorted();

/** `# NAME=value` with the lines of comment above it. */
const example = [...text(".env.example").matchAll(/^# ?([A-Z][A-Z0-9_]+)=(.*)$/gm)].map(
  ([, name = "", value = ""]) => ({ name, value }),
);

/** `| NAME | default | AUG | what |`, the third column says who reads it. */
const table = [...text("docs/guide/configuration.md").matchAll(/^\| `([A-Z][A-Z0-9_]+)`\s*\|([^|]*)\|([^|]*)\|/gm)].map(
  ([, name = "", fallback = "", readers = ""]) => ({ name, fallback: fallback.trim(), readers: readers.trim() }),
);

describe(".env.example", () => {
  it("lists exactly the variables that are read, once each", () => {
    expect(sorted(example.map(({ name }) => name))).toEqual(sorted(all));
  });

  it("sets no variable", () => {
    const lines = text(".env.example").split("\n");
    expect(lines.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
  });

  it("has placeholders for secrets that production rejects", () => {
    const secrets = example.filter(({ name }) => /PASSWORD$|TOKEN$|SECRET_KEY$/.test(name));
    expect(secrets.length).toBeGreaterThan(0);
    for (const { name, value } of secrets) expect([name, value]).toEqual([name, expect.stringMatching(/^change-me-/)]);
  });
});

describe("docs/guide/configuration.md", () => {
  it("lists the same variables", () => {
    expect(sorted(table.map(({ name }) => name))).toEqual(sorted(all));
  });

  it("has the defaults of .env.example", () => {
    const values = new Map(example.map(({ name, value }) => [name, value]));
    for (const { name, fallback } of table)
      if (/^`.*`$/.test(fallback)) expect([name, fallback]).toEqual([name, `\`${values.get(name)}\``]);
  });

  it("names the readers of each variable", () => {
    const readers = (name: string) =>
      Object.entries({ ...services, S: READ_BY_SCRIPTS })
        .filter(([, names]) => names.includes(name))
        .map(([letter]) => letter)
        .join(" ");
    expect(Object.fromEntries(table.map((row) => [row.name, row.readers]))).toEqual(
      Object.fromEntries(table.map(({ name }) => [name, readers(name)])),
    );
  });
});
