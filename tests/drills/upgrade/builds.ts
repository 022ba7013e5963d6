import { REPOSITORY_ROOT, runCommand } from "@gatehouse/local-stack";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const LIMIT_MS = 300_000;

/**
 * Lays a commit into a folder of its own below `folder` and installs what its lockfile names.
 * @param revision a tag, a branch or a commit
 * @returns its root
 * @throws Error when git does not know it, or pnpm cannot install it
 */
export async function buildCommit(revision: string, folder: string): Promise<string> {
  const commit = (await run("git", ["rev-parse", "--short", "--verify", `${revision}^{commit}`])).trim();
  return await build(join(folder, commit), (archive) => run("git", ["archive", "--output", archive, commit]));
}

/** The same for the files as they are now, committed or not. */
export async function buildWorkingTree(folder: string): Promise<string> {
  return await build(join(folder, "working-tree"), async (archive) => {
    const list = `${archive}.list`;
    await writeFile(list, await run("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"]));
    // What is deleted and not yet committed is in the list, too.
    await run("tar", ["--create", "--file", archive, "--ignore-failed-read", "--null", "--files-from", list]);
  });
}

async function build(tree: string, pack: (archive: string) => Promise<unknown>): Promise<string> {
  const archive = `${tree}.tar`;
  await mkdir(tree);
  await pack(archive);
  await run("tar", ["--extract", "--file", archive, "--directory", tree]);
  // Scripts get servers and hooks, which its services do without.
  const install = ["install", "--frozen-lockfile", "--prefer-offline", "--ignore-scripts"];
  // The package manager's own program, when it runs this one.
  await run(process.env["npm_execpath"] ?? "pnpm", install, tree);
  return tree;
}

async function run(command: string, args: readonly string[], folder = REPOSITORY_ROOT): Promise<string> {
  const options = { folder, environment: process.env, withinMs: LIMIT_MS };
  const { ok, stdout, reason } = await runCommand(command, args, options);
  if (!ok) throw new Error(`${command} ${args.join(" ")}: ${reason || stdout}`);
  return stdout;
}
