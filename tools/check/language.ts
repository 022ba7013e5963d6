// `pnpm check language`: searches texts for the phrases that WRITING.md rejects. See --help.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TEXT = /\.(?:ts|tsx|md|ya?ml|json|sh|conf|cfg)$|(?:^|\/)(?:Dockerfile|new-env|pre-commit|\.env\.example)$/;
const NOT_OURS =
  /^(?:WRITING\.md|tools\/(?:check|test\/unit)\/language\.(?:test\.)?ts|LICENSE|pnpm-lock\.yaml|bench\/results\/)|\.svg$/;
/** Technical uses of rejected words, which are removed from a line before the search. */
const ALLOWED = /\bof course\b|\b410 gone\b|\bgone:/gi;

export interface Rule {
  readonly phrase: string;
  readonly instead: string;
}

export interface Finding extends Rule {
  readonly file: string;
  readonly line: number;
}

/** Returns the rules in WRITING.md: both columns of each table row; commas separate the phrases of a word table's first column. */
export function readRules(markdown: string): Rule[] {
  return markdown.split(/^## /m).flatMap((section) => {
    const isWords = section.startsWith("Words");
    const rows = [...section.matchAll(/^\|([^|]+)\|([^|]+)\|$/gm)].slice(2);
    return rows.flatMap(([, first = "", second = ""]) =>
      (isWords ? first.split(",") : [first]).map((phrase) => ({ phrase: phrase.trim(), instead: second.trim() })),
    );
  });
}

/** Returns each line that contains a rejected phrase as whole words, in any case. */
export function findPhrases(file: string, text: string, rules: readonly Rule[]): Finding[] {
  const patterns = rules.map(({ phrase }) => {
    const words = phrase.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(" ", "\\s+");
    return new RegExp(`(?<![\\w-])${words}(?![\\w-])`, "i");
  });
  return text.split("\n").flatMap((line, index) => {
    const checked = line.replaceAll(ALLOWED, "");
    return rules.filter((_, rule) => patterns[rule]?.test(checked)).map((rule) => ({ ...rule, file, line: index + 1 }));
  });
}

function trackedTexts(): string[] {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" }).split("\0");
  return files.filter((file) => TEXT.test(file) && !NOT_OURS.test(file));
}

function checkLanguage({ counts, json }: { readonly counts?: boolean; readonly json?: boolean }): void {
  const rules = readRules(readFileSync(join(ROOT, "WRITING.md"), "utf8"));
  const findings = trackedTexts().flatMap((file) => findPhrases(file, readFileSync(join(ROOT, file), "utf8"), rules));
  if (json) console.log(JSON.stringify({ findings }));
  else if (counts) {
    const folder = ({ file }: Finding) => file.split("/").slice(0, 2).join("/");
    for (const [name, found] of Object.entries(Object.groupBy(findings, folder)).toSorted(([one], [other]) =>
      one.localeCompare(other),
    ))
      console.log(`${String(found?.length).padStart(4)}  ${name}`);
  } else
    for (const { file, line, phrase, instead } of findings)
      console.log(`${file}:${line}: "${phrase}"; write: ${instead}`);
  if (!json) console.log(`${findings.length} phrases that WRITING.md rejects`);
  if (findings.length > 0 && !counts) process.exitCode = 1;
}

if (import.meta.main)
  await new Command("node tools/check/language.ts")
    .description("Searches all tracked texts for the phrases in WRITING.md's tables. Exit 1 when one is found.")
    .option("--counts", "print the counts by folder only, and exit with 0")
    .option("--json", "print the findings as JSON")
    .action(checkLanguage)
    .parseAsync();
