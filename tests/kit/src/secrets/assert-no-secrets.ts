import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kindsIn } from "./known-secrets.ts";

/** What one process has written, or one receiver has received. */
export interface Output {
  readonly name: string;
  readonly lines: readonly string[];
}

/**
 * Searches all outputs for secrets and personal data.
 * @throws Error with the file, line and kind of each secret, but not the secret; the file stays for the developer who fixes the leak
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
  throw new Error(`what must never be written was:\n${found.join("\n")}`);
}

function leaksIn(line: string, index: number): string[] {
  return [...kindsIn(line)].map((kind) => `${index + 1} has ${kind}`);
}
