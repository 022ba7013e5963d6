import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CommandResult, runCommand } from "../process/run-command.ts";
import { exists } from "../repository.ts";
import type { Look, LookOptions, Part } from "../servers/types.ts";

interface DebianProgram {
  /** The package with the program first, then libraries that small systems lack. */
  readonly packages: readonly [string, ...string[]];
  /** Its path in the package. */
  readonly program: string;
}

/** A program with the environment that it needs, or why there is none. */
export type FoundProgram =
  | { readonly command: string; readonly environment: NodeJS.ProcessEnv; readonly label: string }
  | { readonly reason: string };

/** PostgreSQL is left out: Debian 12 has version 15, which is too old. */
const SERVERS: Partial<Record<Part, DebianProgram>> = {
  nats: { packages: ["nats-server"], program: "usr/sbin/nats-server" },
  redis: { packages: ["redis-server", "redis-tools", "libjemalloc2", "liblzf1"], program: "usr/bin/redis-server" },
};

export async function lookForDebianPackage(part: Part, options: LookOptions): Promise<Look> {
  const server = SERVERS[part];
  if (server === undefined) return { reason: "Debian's package is not used for PostgreSQL" };
  const found = await obtainDebianProgram(part, server, options);
  return "reason" in found ? found : { source: { kind: "program", ...found } };
}

/**
 * Returns a program from Debian's package: downloaded with apt-get and unpacked into the cache, never installed.
 * Needs no root, and the network only once.
 * @param name of its folder in the cache
 */
export async function obtainDebianProgram(
  name: string,
  { packages, program }: DebianProgram,
  options: LookOptions,
): Promise<FoundProgram> {
  const home = join(options.cacheFolder, "debian", name);
  if (!(await exists(join(home, program)))) {
    const tools = await Promise.all(["apt-get", "dpkg"].map((tool) => runCommand(tool, ["--version"], options)));
    if (!tools.every(({ ok }) => ok)) return { reason: "this system has no apt-get or no dpkg" };
    options.note(`downloading Debian's ${packages[0]} into ${home}`);
    const reason = await unpackInto(home, { packages, program }, options);
    if (reason !== undefined) return { reason };
  }
  const command = join(home, program);
  const libraries = await libraryFolders(home);
  const environment: NodeJS.ProcessEnv = libraries.length === 0 ? {} : { LD_LIBRARY_PATH: libraries.join(":") };
  const check = await runCommand(command, ["--version"], { environment: { ...options.environment, ...environment } });
  if (!check.ok) return { reason: `the unpacked ${command} does not run: ${check.reason}` };
  return { command, environment, label: `Debian's ${packages[0]} in ${home}` };
}

/** Unpacks into a draft and renames it, so that the folder appears whole or not at all. Returns why it failed, if it did. */
async function unpackInto(
  home: string,
  { packages, program }: DebianProgram,
  options: LookOptions,
): Promise<string | undefined> {
  await mkdir(dirname(home), { recursive: true });
  const draft = await mkdtemp(join(dirname(home), ".new-"));
  try {
    const [tree, downloads] = [join(draft, "tree"), join(draft, "downloads")];
    for (const folder of [tree, downloads]) await mkdir(folder);
    const download = await downloadPackages(packages, downloads, join(draft, "apt"), options);
    if (!download.ok) return download.reason;
    for (const file of await readdir(downloads)) {
      const unpacked = await runCommand("dpkg", ["-x", join(downloads, file), tree], options);
      if (!unpacked.ok) return `dpkg -x ${file}: ${unpacked.reason}`;
    }
    // Another run may have finished first; its tree is as good.
    await rename(tree, home).catch(async (error: unknown) => {
      if (!(await exists(join(home, program)))) throw error;
    });
    return undefined;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Tries the system's package lists first; where they are missing or old, lists of our own. */
async function downloadPackages(
  packages: readonly string[],
  folder: string,
  aptFolder: string,
  { environment, note, signal }: LookOptions,
): Promise<CommandResult> {
  const apt = (settings: readonly string[], args: readonly string[], withinMs: number) => {
    const options = settings.flatMap((setting) => ["-o", setting]);
    const surroundings = { folder, withinMs, signal, environment: { ...environment, LC_ALL: "C" } };
    return runCommand("apt-get", ["-q", ...options, ...args], surroundings);
  };
  const common = ["APT::Sandbox::User=root", "Acquire::Retries=2", "Acquire::http::Timeout=15"];
  const withSystemLists = await apt(common, ["download", ...packages], 60_000);
  if (withSystemLists.ok) return withSystemLists;
  for (const name of ["lists/partial", "cache/archives/partial"])
    await mkdir(join(aptFolder, name), { recursive: true });
  const own = [
    ...common,
    `Dir::State=${aptFolder}`,
    `Dir::State::Lists=${aptFolder}/lists`,
    `Dir::Cache=${aptFolder}/cache`,
    "Dir::State::Status=/var/lib/dpkg/status",
    "Acquire::Languages=none",
  ];
  note("reading Debian's package lists");
  // `update` fails when one of several sources is unreachable, although Debian's lists arrived. The download decides.
  const update = await apt(own, ["update"], 90_000);
  const withOwnLists = await apt(own, ["download", ...packages], 60_000);
  const reasons = [update, withOwnLists].filter(({ ok }) => !ok).map(({ reason }) => firstLine(reason));
  return { ...withOwnLists, reason: reasons.join("; ") };
}

async function libraryFolders(home: string): Promise<string[]> {
  const lib = join(home, "usr", "lib");
  const entries = await readdir(lib, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && entry.name.includes("linux"))
    .map((entry) => join(lib, entry.name));
}

function firstLine(text: string): string {
  return text.split("\n").find((line) => line.trim() !== "") ?? text;
}
