import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../exists.ts";
import { type CommandResult, runCommand } from "../process/run-command.ts";
import { makeCachedTree } from "./cached-tree.ts";

/** A program of Debian's. */
export interface DebianProgram {
  /** The package with the program, and those libraries of it that a small system does not have. */
  readonly packages: readonly [string, ...string[]];
  /** Its path in the package. */
  readonly program: string;
}

export interface DebianOptions {
  /** Where apt-get and dpkg are found, and what they read. */
  readonly environment: NodeJS.ProcessEnv;
  /** Unpacked programs are kept here, so that the network is needed once. */
  readonly cacheFolder: string;
  readonly note: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A program that runs when it is given this environment, or why there is none. */
export type FoundProgram =
  | { readonly command: string; readonly environment: NodeJS.ProcessEnv; readonly label: string }
  | { readonly reason: string };

/**
 * A program from Debian's package: downloaded with apt-get, unpacked into the cache, never installed; root is not needed.
 * @param name of its folder in the cache
 */
export async function obtainDebianProgram(
  name: string,
  { packages, program }: DebianProgram,
  options: DebianOptions,
): Promise<FoundProgram> {
  const home = join(options.cacheFolder, "debian", name);
  if (!(await exists(join(home, program)))) {
    const tools = await Promise.all(["apt-get", "dpkg"].map((tool) => runCommand(tool, ["--version"], options)));
    if (!tools.every(({ ok }) => ok)) return { reason: "this is no Debian: there is no apt-get or no dpkg" };
    options.note(`getting Debian's ${packages[0]} into ${home}`);
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

/** Downloads and unpacks into a new folder of the cache. Returns why it cannot, if so. */
function unpackInto(
  home: string,
  { packages, program }: DebianProgram,
  options: DebianOptions,
): Promise<string | undefined> {
  return makeCachedTree(home, program, async (tree, draft) => {
    const downloads = join(draft, "downloads");
    await mkdir(downloads);
    const download = await downloadPackages(packages, downloads, join(draft, "apt"), options);
    if (!download.ok) return download.reason;
    for (const file of await readdir(downloads)) {
      const unpacked = await runCommand("dpkg", ["-x", join(downloads, file), tree], options);
      if (!unpacked.ok) return `dpkg -x ${file}: ${unpacked.reason}`;
    }
    return undefined;
  });
}

/** First with the system's package lists; when there are none, or they are too old, with lists of our own. */
async function downloadPackages(
  packages: readonly string[],
  folder: string,
  aptFolder: string,
  { environment, note, signal }: DebianOptions,
): Promise<CommandResult> {
  const apt = (options: readonly string[], args: readonly string[], withinMs: number) =>
    runCommand("apt-get", [...options, ...args], {
      folder,
      withinMs,
      signal,
      environment: { ...environment, LC_ALL: "C" },
    });
  const common = ["-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=15"];
  const withSystemLists = await apt(common, ["download", ...packages], 60_000);
  if (withSystemLists.ok) return withSystemLists;
  for (const name of ["lists/partial", "cache/archives/partial"])
    await mkdir(join(aptFolder, name), { recursive: true });
  const own = [
    ...common,
    ...[
      "-o",
      `Dir::State=${aptFolder}`,
      "-o",
      `Dir::State::Lists=${aptFolder}/lists`,
      "-o",
      `Dir::Cache=${aptFolder}/cache`,
    ],
    ...["-o", "Dir::State::Status=/var/lib/dpkg/status", "-o", "Acquire::Languages=none"],
  ];
  note("reading Debian's package lists");
  // One unreachable source among several makes it fail although Debian's own lists came; the download decides.
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
