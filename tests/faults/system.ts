import { databaseUrl, isAlive, type ProcessIdentity } from "@gatehouse/local-stack";
import { FIRST_ADMIN } from "@gatehouse/test-kit/api";
import {
  createFaultyLine,
  type FaultyLine,
  queryOnce,
  type ServiceHandle,
  skewedClock,
  startSystem,
} from "@gatehouse/test-kit/system";
import { execFile } from "node:child_process";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { recordOutages } from "./outages.ts";

/** REVOCATION_MAX_STALENESS_SECONDS: the lowest possible value, so that many revocations meet a stale view. */
export const MAX_STALENESS_SECONDS = 2;

export const SERVERS = ["postgres", "nats", "redis"] as const;
export const INSTANCES = ["auth", "user", "gateway-1", "gateway-2"] as const;
export const LINES = ["auth-postgres", "user-postgres", "auth-nats", "user-nats", "gateway-nats", "user-auth"] as const;
export type InstanceName = (typeof INSTANCES)[number];

export type FaultySystem = Awaited<ReturnType<typeof startFaultySystem>>;
type Lines = Readonly<Record<(typeof LINES)[number], FaultyLine>>;

const ENVIRONMENT = {
  LOG_LEVEL: "warn",
  REVOCATION_MAX_STALENESS_SECONDS: String(MAX_STALENESS_SECONDS),
  // The relay keeps published rows for an access token's lifetime. With the longest one, every row is still there for the ledger.
  ACCESS_TOKEN_EXPIRE_MINUTES: "60",
  ...FIRST_ADMIN,
  ...skewedClock(0),
};

/** Starts Gatehouse with servers of its own, and a TCP line between each service and what it needs. */
export async function startFaultySystem(logFolder?: string) {
  let disk: SmallDisk | undefined;
  let lines = {} as Lines;
  const { services, servers, databaseUrls, ...system } = await startSystem({
    parts: SERVERS,
    replicas: { auth: 1, user: 1, gateway: 2 },
    environment: ENVIRONMENT,
    logFolder,
    async prepare(folder, releases) {
      await unmountDisksOfDeadRuns();
      disk = await mountSmallDisk(join(folder, "nats"), releases);
    },
    async connect({ servers: { postgres, nats }, databaseUrls: urls, ports }, releases) {
      await queryOnce(postgres.url, "create database ledger");
      const targets = [urls.auth, urls.user, nats.url, nats.url, nats.url, `http://127.0.0.1:${ports.auth[0]}`];
      const opened = LINES.map(async (name, index) => {
        const line = await createFaultyLine(targets[index] ?? "");
        releases.defer(() => line.close());
        return [name, line] as const;
      });
      lines = Object.fromEntries(await Promise.all(opened)) as Lines;
      return {
        databaseUrls: { auth: lines["auth-postgres"].url, user: lines["user-postgres"].url },
        // The second gateway reaches NATS without a line.
        natsUrl: (service, replica) => (replica === 0 ? lines[`${service}-nats`].url : nats.url),
        own: (service) => (service === "user" ? { AUTH_URL: lines["user-auth"].url } : undefined),
      };
    },
  });
  const all = Object.values(services).flat();
  return {
    services: Object.fromEntries(all.map((one) => [one.name, one])) as Readonly<Record<InstanceName, ServiceHandle>>,
    gatewayUrls: services.gateway.map(({ url }) => url),
    ...{ servers, lines, authOutages: recordOutages() },
    /** The disk of NATS; undefined where this machine does not allow mounts. */
    disk,
    databaseUrls: { owner: databaseUrls.owner, ledger: databaseUrl(servers.postgres.url, "ledger") },
    [Symbol.asyncDispose]: () => system[Symbol.asyncDispose](),
  };
}

/** A disk that is small enough to fill. */
interface SmallDisk {
  fill(): Promise<void>;
  empty(): Promise<void>;
}

const run = promisify(execFile);
const DISK_MB = 96;
/** The disk's name in the list of mounts. */
const DEVICE = "gatehouse-faults";
const unmount = (folder: string) => run("umount", ["--lazy", folder]);

/** Returns undefined without the right to mount (root on Linux). */
async function mountSmallDisk(folder: string, releases: AsyncDisposableStack): Promise<SmallDisk | undefined> {
  await mkdir(folder);
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${DISK_MB}m,mode=0755`, DEVICE, folder]);
  } catch {
    return undefined;
  }
  releases.defer(async () => void (await unmount(folder)));
  const ballast = join(folder, "ballast");
  return {
    async fill() {
      await using file = await open(ballast, "w");
      // Ever smaller pieces, down to one page, leave no room at all.
      for (let size = 1024 * 1024; size >= 4096; size /= 2) {
        const write = async () => void (await file.write(Buffer.alloc(size, 1)));
        while (await write().then(() => true, isOtherThanFull)) continue;
      }
    },
    empty: () => rm(ballast, { force: true }),
  };
}

function isOtherThanFull(error: NodeJS.ErrnoException): boolean {
  if (error.code !== "ENOSPC") throw error;
  return false;
}

/** A killed run leaves its disk mounted, so its folder cannot be removed. */
async function unmountDisksOfDeadRuns(): Promise<void> {
  const mounts = await readFile("/proc/mounts", "utf8").catch(() => "");
  for (const [device, folder = ""] of mounts.split("\n").map((line) => line.split(" "))) {
    if (device !== DEVICE) continue;
    const owner = await readFile(join(dirname(folder), "owner.json"), "utf8").catch(() => undefined);
    if (owner !== undefined && !isAlive(JSON.parse(owner) as ProcessIdentity)) await unmount(folder);
  }
}
