/** What no log and no telemetry may hold; an error names it instead of showing it. */
export type SecretKind =
  | "an access token"
  | "a refresh token, or a key of 256 bits"
  | "a password hash"
  | "a private key"
  | "a password in a URL"
  | "an email"
  | "a password"
  | "a person's name";

/** What can be told by its looks. */
const PATTERNS: readonly (readonly [SecretKind, RegExp])[] = [
  ["an access token", /eyJ[\w-]{8,}\.[\w-]{8,}/],
  // 32 bytes in base64url. With a capital and a digit, so that no folder of a stack trace is taken for one; of 500,000 one has none.
  ["a refresh token, or a key of 256 bits", /(?<![\w-])(?=[\w-]{43}(?![\w-]))(?=[\w-]*[A-Z])(?=[\w-]*\d)/],
  ["a password hash", /\$(?:argon2\w*|2[aby]|scrypt)\$|SCRAM-SHA-256\$/],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["a password in a URL", /:\/\/[^\s/:@"']*:[^\s/@"']+@/],
  // The end of its domain is letters: package@1.2.3 in the path of a stack trace is none.
  ["an email", /[\w.+-]@(?:[\w-]+\.)+[A-Za-z]{2,}\b/],
];

/** What is shorter would be found in anything. */
const LEAST_LENGTH = 8;

const remembered = new Map<string, SecretKind>();

/** Has `value` looked for in whatever this test file checks from now on; for what cannot be told by its looks. */
export function rememberSecret(kind: "a password" | "a person's name", value: string): void {
  if (value.length >= LEAST_LENGTH) remembered.set(value, kind);
}

/** Likewise the passwords in the environment of a process, alone or in URLs. Its other secrets are keys, which can be told by their looks. */
export function rememberPasswordsIn(environment: NodeJS.ProcessEnv): void {
  for (const [name, value = ""] of Object.entries(environment)) {
    if (name.endsWith("_PASSWORD")) rememberSecret("a password", value);
    if (name.endsWith("_URL")) for (const url of value.split(",")) rememberSecret("a password", passwordOf(url));
  }
}

function passwordOf(url: string): string {
  return URL.canParse(url) ? decodeURIComponent(new URL(url).password) : "";
}

/** What of the above is in a text; each kind once. */
export function kindsIn(text: string): ReadonlySet<SecretKind> {
  const kinds = new Set<SecretKind>();
  for (const [kind, pattern] of PATTERNS) if (pattern.test(text)) kinds.add(kind);
  for (const [value, kind] of remembered) if (text.includes(value)) kinds.add(kind);
  return kinds;
}
