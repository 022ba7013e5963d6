import { REPOSITORY_ROOT, runCommand } from "@gatehouse/local-stack";
import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { applyBlock, blocksOf } from "./blocks.ts";

export interface GuideFiles {
  /** Paths from the root of the files that the reader of the guide writes or changes. */
  readonly handWritten: readonly string[];
  /** Those that `pnpm check --fix` and `pnpm install` write. */
  readonly generated: readonly string[];
}

export interface GuideRunner {
  /**
   * Does what a page says, on top of the pages before it. The info string of a fenced block is `language path`:
   * - `ts services/hello/service.ts` is the content of a new file;
   * - `diff libs/contracts/src/fields.ts` changes a file. The file contains its context and removed lines exactly once, without a gap;
   *   `@@` separates places of one file;
   * - `sh` is run, one command a line. Checks and tests run once for all pages: `pnpm check` writes the generated files at once, and
   *   `check` and `test` do the rest;
   * - other blocks, such as `console`, are for the reader only.
   * @param page its path from the root
   * @returns the files that differ afterwards
   * @throws Error with the output of a command that failed; the page is undone
   */
  runGuide(page: string): Promise<GuideFiles>;
  /** Runs the static checks. @throws Error with their output */
  check(): Promise<void>;
  /** Runs the tests that the pages name in `pnpm vitest run`. @throws Error with their output */
  test(): Promise<void>;
  close(): Promise<void>;
}

const COMMAND_MS = 300_000;
const CHECKS = ["types", "lint", "format", "exports", "generated"];

/** Returns a runner with an installed copy of the repository's tracked files. */
export async function createGuideRunner(): Promise<GuideRunner> {
  const folder = await mkdtemp(join(tmpdir(), "gatehouse-guides-"));
  const root = join(folder, "repository");
  const environment = await shellEnvironment(root, folder);
  const testFiles = new Set<string>();

  async function run(script: string, from = root): Promise<string> {
    const options = { folder: from, environment, withinMs: COMMAND_MS };
    const { ok, stdout, reason } = await runCommand("bash", ["-euo", "pipefail", "-c", script], options);
    if (!ok) throw new Error(`${script}\n${stdout}\n${reason}`);
    return stdout;
  }
  const generate = async () =>
    (JSON.parse(await run("node tools/check/generated.ts --json")) as { files: { file: string }[] }).files;
  const commit = () => run("git add --all && git commit --quiet --no-verify --allow-empty --message=guide");

  async function runLine(line: string): Promise<void> {
    const [, tests] = /^pnpm vitest run (.*)/.exec(line) ?? [];
    if (tests !== undefined) for (const file of tests.split(" ")) testFiles.add(file);
    else if (line.startsWith("pnpm check")) await generate();
    else await run(line);
  }

  await mkdir(root);
  await run(`git ls-files -z | xargs -0 cp --parents --target-directory "${root}"`, REPOSITORY_ROOT);
  await run("git init --quiet && git config user.name guides && git config user.email guides@example.com");
  // Servers that were downloaded once are there for every copy.
  await mkdir(join(REPOSITORY_ROOT, ".cache"), { recursive: true });
  await symlink(join(REPOSITORY_ROOT, ".cache"), join(root, ".cache"));
  await appendFile(join(root, ".git/info/exclude"), ".cache\n");
  await commit();
  await run("pnpm install --frozen-lockfile --prefer-offline");

  return {
    async runGuide(page) {
      try {
        for (const block of blocksOf(await readFile(join(REPOSITORY_ROOT, page), "utf8")))
          if (block.path !== undefined) applyBlock(block, root);
          else if (block.language === "sh") for (const line of block.text.trim().split("\n")) await runLine(line);
        const files = await generate();
        const status = await run("git status --porcelain --untracked-files=all");
        const touched = [...status.matchAll(/^.. (.*)$/gm)].map(([, path = ""]) => path);
        const isGenerated = (path: string) => path === "pnpm-lock.yaml" || files.some(({ file }) => file === path);
        await commit();
        return {
          handWritten: touched.filter((path) => !isGenerated(path)),
          generated: touched.filter(isGenerated),
        };
      } finally {
        await run("git reset --quiet --hard && git clean --quiet -fd");
      }
    },
    check: async () => void (await run(`node tools/check/main.ts ${CHECKS.join(" ")}`)),
    test: async () => void (await run(`vitest run ${[...testFiles].join(" ")}`)),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * Returns the environment of a reader's shell: `pnpm` is the one that runs the tests, `node` the repository's. It has no CI, since with
 * that variable pnpm refuses to write the lock file that a guide changes.
 */
async function shellEnvironment(root: string, folder: string): Promise<NodeJS.ProcessEnv> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(CI$|VITEST|NODE_ENV$|TEST$|npm_)/.test(name));
  const running = process.env["npm_execpath"] ?? "";
  const pnpm = basename(running).startsWith("pnpm") ? `"${running}"` : "npx -y pnpm@12";
  await writeFile(join(folder, "pnpm"), `#!/bin/sh\nexec ${pnpm} "$@"\n`, { mode: 0o755 });
  return {
    ...Object.fromEntries(inherited),
    PATH: [folder, join(root, "node_modules/.bin"), process.env["PATH"]].join(":"),
    VITEST_MAX_WORKERS: "1",
    pnpm_config_prefer_offline: "true",
  };
}
