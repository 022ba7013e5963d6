import { randomBytes } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOptionalFile } from "./settings.ts";

/** What development needs and nobody has to think of. */
const NAMES = [
  "JWT_SECRET_KEY",
  "INTERNAL_API_TOKEN",
  "INTROSPECTION_TOKEN",
  "POSTGRES_PASSWORD",
  "AUTH_DATABASE_PASSWORD",
  "USER_DATABASE_PASSWORD",
] as const;

export type StackSecrets = Readonly<Record<(typeof NAMES)[number], string>>;

/**
 * The secrets of the stack in `dir`: generated once, kept in a file that only its owner may read, so that tokens and
 * sealed keys outlive a restart.
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
