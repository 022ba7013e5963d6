import { SERVICES, SERVICES_WITH_DATABASE } from "@gatehouse/declarations";
import { randomBytes } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOptionalFile } from "./settings.ts";

/** The variable with the generated password of a service's database role. */
export const passwordVariableOf = (service: string): string =>
  `${service.toUpperCase().replaceAll("-", "_")}_DATABASE_PASSWORD`;

/** The secrets of the services and the passwords of the database. */
const NAMES: readonly string[] = [
  ...new Set(SERVICES.flatMap(({ secrets }) => secrets)),
  "POSTGRES_PASSWORD",
  ...SERVICES_WITH_DATABASE.map(({ name }) => passwordVariableOf(name)),
];

export type StackSecrets = Readonly<Record<string, string> & { POSTGRES_PASSWORD: string }>;

/**
 * Returns the secrets of the stack in `dir`. They are generated once and stored in a file that only its owner may read, so that
 * tokens and sealed keys survive a restart.
 */
export function loadSecrets(dir: string): StackSecrets {
  const path = join(dir, "secrets.json");
  const content = readOptionalFile(path);
  const kept = (content === "" ? {} : JSON.parse(content)) as Partial<Record<string, string>>;
  const secrets = Object.fromEntries(NAMES.map((name) => [name, kept[name] ?? randomBytes(32).toString("base64url")]));
  if (NAMES.some((name) => kept[name] === undefined)) {
    const draft = `${path}.new`;
    writeFileSync(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, path);
  }
  return secrets as StackSecrets;
}
