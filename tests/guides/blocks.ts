import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Block {
  readonly language: string;
  readonly path: string | undefined;
  readonly text: string;
}

/** Returns a page's fenced blocks in their order. */
export const blocksOf = (page: string): Block[] =>
  [...page.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(([, language = "", path, text = ""]) => ({
    language,
    path,
    text,
  }));

/**
 * Writes the file of a block with a path.
 * @throws Error when a new file exists already, or when a diff does not fit its file
 */
export function applyBlock({ language, path = "", text }: Block, root: string): void {
  const file = join(root, path);
  if (language === "diff") {
    writeFileSync(
      file,
      text.split(/^@@.*\n/m).reduce((content, hunk) => applyHunk(content, hunk, path), read(file)),
    );
    return;
  }
  if (existsSync(file)) throw new Error(`${path} exists already. Show a change of it as \`\`\`diff ${path}.`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const read = (file: string) => readFileSync(file, "utf8");

/** Replaces the lines of a hunk that begin with a space or `-` by those that begin with a space or `+`. */
function applyHunk(content: string, hunk: string, path: string): string {
  const lines = hunk.split("\n").slice(0, -1);
  const without = (sign: string) => lines.filter((line) => !line.startsWith(sign)).map((line) => `\n${line.slice(1)}`);
  const [before, after] = [without("+").join(""), without("-").join("")];
  const [head = "", tail, ...more] = `\n${content}`.split(`${before}\n`);
  if (tail === undefined) throw new Error(`${path} does not contain these lines:${before}`);
  if (more.length > 0) throw new Error(`${path} contains these lines more than once; show more context:${before}`);
  return `${head}${after}\n${tail}`.slice(1);
}
