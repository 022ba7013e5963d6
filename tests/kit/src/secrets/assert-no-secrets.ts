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
 * Looks for secrets and personal data in all that was written.
 * @throws Error naming file, line and kind of each, and never the secret; the file, which has it, is left for whoever mends that
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
