import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Kinds of secrets with a recognizable form. */
const PATTERNS: readonly (readonly [kind: string, RegExp])[] = [
  ["an access token", /eyJ[\w-]{8,}\.[\w-]{8,}/],
  // 32 bytes in base64url, with a capital and a digit, which folders of stack traces lack.
  ["a refresh token, or a key of 256 bits", /(?<![\w-])(?=[\w-]{43}(?![\w-]))(?=[\w-]*[A-Z])(?=[\w-]*\d)/],
  ["a password hash", /\$(?:argon2\w*|2[aby]|scrypt)\$|SCRAM-SHA-256\$/],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["a password in a URL", /:\/\/[^\s/:@"']*:[^\s/@"']+@/],
  // The top-level domain consists of letters, unlike package@1.2.3 in a stack trace.
  ["an email", /[\w.+-]@(?:[\w-]+\.)+[A-Za-z]{2,}\b/],
];

/** Shorter values occur in any text. */
const MIN_LENGTH = 8;

const remembered = new Map<string, string>();

/** Adds a value without a recognizable form to the secrets of this test file. */
export function rememberSecret(kind: "a password" | "a person's name", value: string): void {
  if (value.length >= MIN_LENGTH) remembered.set(value, kind);
}

/** Adds the passwords in the environment of a process, alone or in URLs. */
export function rememberPasswordsIn(environment: NodeJS.ProcessEnv): void {
  for (const [name, value = ""] of Object.entries(environment)) {
    if (name.endsWith("_PASSWORD")) rememberSecret("a password", value);
    if (!name.endsWith("_URL")) continue;
    for (const url of value.split(",").filter((one) => URL.canParse(one)))
      rememberSecret("a password", decodeURIComponent(new URL(url).password));
  }
}

/** The output of one process or receiver. */
interface Output {
  readonly name: string;
  readonly lines: readonly string[];
}

/**
 * Looks for secrets and personal data in the output.
 * @throws Error with file, line and kind of each, without the secret; the file keeps the output
 */
export function assertNoSecrets(outputs: readonly Output[]): void {
  const leaking = outputs
    .map(({ name, lines }) => ({ name, lines, leaks: lines.flatMap(leaksIn) }))
    .filter(({ leaks }) => leaks.length > 0);
  if (leaking.length === 0) return;
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-leaks-"));
  const found = leaking.flatMap(({ name, lines, leaks }) => {
    const file = join(folder, `${name}.log`);
    writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
    return leaks.map((leak) => `${file}:${leak}`);
  });
  throw new Error(`secrets were written:\n${found.join("\n")}`);
}

function leaksIn(line: string, index: number): string[] {
  const kinds = PATTERNS.filter(([, pattern]) => pattern.test(line)).map(([kind]) => kind);
  for (const [value, kind] of remembered) if (line.includes(value)) kinds.push(kind);
  return [...new Set(kinds)].map((kind) => `${index + 1} has ${kind}`);
}
