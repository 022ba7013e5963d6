import { randomBytes } from "node:crypto";
import { access, chown, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import pg from "pg";
import { endProcess, identify } from "../process/identity.ts";
import { runCommand } from "../process/run-command.ts";
import { exists } from "../repository.ts";
import type { Program, ServerOptions, ServerPlan } from "./types.ts";

/** The cluster's first superuser, beside the owner that the user names. */
const SUPERUSER = "gatehouse_superuser";

/** Settings of a server whose data may be lost. */
const NOT_DURABLE = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"];

/** Plans PostgreSQL on loopback; the first start makes the cluster in the folder. */
export async function planPostgres(program: Program, { folder, durable, signal }: ServerOptions): Promise<ServerPlan> {
  const data = join(folder, "data");
  const postgres = join(program.command, "postgres");
  const runAs = await unprivilegedUser([data, postgres]);
  const environment = { ...process.env, ...program.environment, LC_ALL: "C" };
  const initdb = join(program.command, "initdb");
  const password = await prepareCluster({ folder, data, initdb, environment, runAs, signal });
  await endPredecessor(data);
  const url = (port: number) => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
  return {
    launch(port) {
      const settings = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories="];
      settings.push("max_connections=300", ...(durable ? [] : NOT_DURABLE));
      const words = [...runAs.prefix, postgres, "-D", data, ...settings.flatMap((setting) => ["-c", setting])];
      const [command = "", ...args] = words;
      return { command, args, environment, uid: runAs.uid, gid: runAs.gid };
    },
    // "fast" shutdown; "immediate" leaves data that need recovery.
    stopSignal: durable ? "SIGINT" : "SIGQUIT",
    url,
    isReady: (port) => acceptsConnections(url(port)),
  };
}

interface Cluster {
  readonly folder: string;
  readonly data: string;
  readonly initdb: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly runAs: RunAs;
  readonly signal: AbortSignal | undefined;
}

/** Makes the cluster unless it exists. Returns its superuser's password, which is stored beside the data. */
async function prepareCluster({ folder, data, initdb, environment, runAs, signal }: Cluster): Promise<string> {
  const passwordFile = join(folder, "superuser-password");
  if (await exists(join(data, "PG_VERSION"))) {
    const kept = await readFile(passwordFile, "utf8").catch(() => undefined);
    if (kept === undefined)
      throw new Error(`${data} holds a database, but its password file is missing. Start empty with --fresh.`);
    return kept.trim();
  }
  const password = randomBytes(24).toString("base64url");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  // Made in a draft and renamed, so that a killed start leaves no partial cluster.
  const draft = `${data}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  if (isRoot()) await Promise.all([passwordFile, draft].map((path) => chown(path, NOBODY, NOBODY)));
  const args = [`--pgdata=${draft}`, `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
  args.push("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C");
  args.push("--no-sync", "--no-instructions");
  const { prefix, uid, gid } = runAs;
  const [command = "", ...rest] = [...prefix, initdb, ...args];
  const result = await runCommand(command, rest, { environment, signal, uid, gid, withinMs: 60_000 });
  if (!result.ok) throw new Error(`PostgreSQL's initdb failed: ${result.reason}`);
  await rename(draft, data);
  return password;
}

/** Ends a server that a killed run left on these data, and removes a stale lock. */
async function endPredecessor(data: string): Promise<void> {
  const pidFile = join(data, "postmaster.pid");
  const content = await readFile(pidFile, "utf8").catch(() => undefined);
  if (content === undefined) return;
  const pid = Number.parseInt(content, 10);
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const identity = identify(pid);
  // Another program may have the number now, and PostgreSQL would take it for a running server.
  if (identity !== undefined && commandLine.includes(data)) await endProcess(identity, "SIGINT", 10_000);
  await rm(pidFile, { force: true });
}

async function acceptsConnections(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

/** PostgreSQL refuses to run as root, so root runs it as `nobody`, which exists on every system. */
const NOBODY = 65_534;

const isRoot = () => process.getuid?.() === 0;

interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
  /** Words in front of the command. */
  readonly prefix: readonly string[];
}

/** Returns how this user runs PostgreSQL, which must reach `paths`. */
async function unprivilegedUser(paths: readonly string[]): Promise<RunAs> {
  if (!isRoot()) return { prefix: [] };
  const reachable = await Promise.all(paths.map(isReachable));
  if (reachable.every(Boolean)) return { uid: NOBODY, gid: NOBODY, prefix: [] };
  // A clone below /root: `nobody` may not enter its parent folders. This capability lets only the server through.
  const setpriv = "/usr/bin/setpriv";
  await access(setpriv).catch(() => {
    throw new Error(
      `PostgreSQL cannot run as root, and other users cannot reach ${paths.join(" or ")}. Move the project to a folder that they can enter.`,
    );
  });
  const user = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
  // initdb looks for programs with access(2), which ignores the capability of other users unless the securebit is set.
  const rights = ["--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
  return { prefix: [setpriv, ...user, ...rights] };
}

async function isReachable(path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid } = await stat(folder);
    if (uid !== NOBODY && (mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
