import { randomBytes } from "node:crypto";
import { chown, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { exists } from "../exists.ts";
import { endProcess } from "../process/end-process.ts";
import { identify } from "../process/identity.ts";
import { spawnManaged, waitUntilReady } from "../process/managed-process.ts";
import { runCommand } from "../process/run-command.ts";
import type { RunningServer, ServerOptions } from "./running-server.ts";
import { startOnPort } from "./start-on-port.ts";
import { ownerId, type RunAs, unprivilegedUser } from "./unprivileged-user.ts";

interface Program {
  /** The folder that holds `postgres` and `initdb`. */
  readonly command: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** The cluster's first superuser; owners that people name are made beside it. */
const SUPERUSER = "gatehouse_superuser";

/** Settings of a server whose data nobody will miss. */
const THROW_AWAY = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"];

/** Starts PostgreSQL on loopback; the cluster in the folder is made at the first start. */
export async function startPostgresServer(program: Program, options: ServerOptions): Promise<RunningServer> {
  const { folder, signal } = options;
  await mkdir(folder, { recursive: true });
  const data = join(folder, "data");
  const binaries = { postgres: join(program.command, "postgres"), initdb: join(program.command, "initdb") };
  const runAs = await unprivilegedUser([data, binaries.postgres]);
  const environment = { ...process.env, ...program.environment, LC_ALL: "C" };
  const password = await prepareCluster({ folder, data, initdb: binaries.initdb, environment, runAs, signal });
  await endPredecessor(data);
  return startOnPort("PostgreSQL", options.port, async (port) => {
    const settings = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"];
    if (!options.durable) settings.push(...THROW_AWAY);
    const [command = "", ...args] = [
      ...runAs.prefix,
      binaries.postgres,
      "-D",
      data,
      ...settings.flatMap((item) => ["-c", item]),
    ];
    const child = await spawnManaged({
      name: "postgres",
      kind: "server",
      command,
      args,
      environment,
      ...(runAs.uid === undefined ? {} : { uid: runAs.uid }),
      ...(runAs.gid === undefined ? {} : { gid: runAs.gid }),
      // "fast" against "immediate": the latter leaves the data to be recovered.
      stopSignal: options.durable ? "SIGINT" : "SIGQUIT",
      stopWithinMs: 10_000,
      records: options.records,
    });
    const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
    try {
      await waitUntilReady(child, () => acceptsConnections(url), { signal });
    } catch (error) {
      await child.stop();
      throw error;
    }
    return {
      url,
      port,
      ended: child.ended,
      stop: async () => void (await child.stop()),
      kill: async () => void (await child.stop("SIGKILL")),
    };
  });
}

interface Cluster {
  readonly folder: string;
  readonly data: string;
  readonly initdb: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly runAs: RunAs;
  readonly signal: AbortSignal | undefined;
}

/** Makes the cluster unless it is there; returns its superuser's password, which lies beside the data. */
async function prepareCluster(cluster: Cluster): Promise<string> {
  const passwordFile = join(cluster.folder, "superuser-password");
  if (await exists(join(cluster.data, "PG_VERSION"))) {
    const kept = await readFile(passwordFile, "utf8").catch(() => undefined);
    if (kept === undefined)
      throw new Error(`${cluster.data} holds a database whose password file is gone: begin anew with --fresh`);
    return kept.trim();
  }
  const password = randomBytes(24).toString("base64url");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  // Made beside its place and moved there when whole, so that a start that is killed here leaves nothing half-made.
  const draft = `${cluster.data}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await giveAway(passwordFile, draft);
  const args = [`--pgdata=${draft}`, `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
  args.push("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C");
  args.push("--no-sync", "--no-instructions");
  const [command = "", ...rest] = [...cluster.runAs.prefix, cluster.initdb, ...args];
  const { environment, signal, runAs } = cluster;
  const result = await runCommand(command, rest, {
    environment,
    signal,
    uid: runAs.uid,
    gid: runAs.gid,
    withinMs: 60_000,
  });
  if (!result.ok) throw new Error(`PostgreSQL's initdb failed: ${result.reason}`);
  await rename(draft, cluster.data);
  return password;
}

/** Ends a server that a killed run left on these data, and removes the lock of one that is gone. */
async function endPredecessor(data: string): Promise<void> {
  const pidFile = join(data, "postmaster.pid");
  const content = await readFile(pidFile, "utf8").catch(() => undefined);
  if (content === undefined) return;
  const pid = Number.parseInt(content, 10);
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const identity = identify(pid);
  // The number may belong to any other program by now, which PostgreSQL would take for a living server.
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

async function giveAway(...paths: string[]): Promise<void> {
  const id = ownerId();
  if (id !== undefined) await Promise.all(paths.map((path) => chown(path, id, id)));
}
