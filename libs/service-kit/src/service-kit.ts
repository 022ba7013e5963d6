import { connectVerifier, type ConnectVerifierDeps } from "@gatehouse/access";
import { type ComponentStatus, type Readiness, STREAMS, type StreamName } from "@gatehouse/contracts";
import { createDatabase, type Database, type DatabaseDeps, waitUntilMigrated } from "@gatehouse/database";
import type { Releasers } from "@gatehouse/http/process";
import { type Bus, connectBus, type MessagingTables, startRelay } from "@gatehouse/messaging";
import {
  createLogger,
  type Logger,
  type LoggerOptions,
  startTelemetry,
  type TelemetrySettings,
} from "@gatehouse/observability";
import { type JobDeps, startJob } from "./job.ts";

/** The part of a service's configuration that every service has. */
export interface ServiceKitConfig {
  readonly environment: string;
  readonly debug: boolean;
  readonly logLevel: LoggerOptions["level"];
  readonly telemetry: TelemetrySettings;
}

interface ServiceKitDeps {
  /** As in logs, traces and connections: `gatehouse-auth`. */
  readonly name: string;
  readonly config: ServiceKitConfig;
  readonly releasers: Releasers;
}

interface OpenDatabaseDeps extends Pick<
  DatabaseDeps,
  "url" | "poolSize" | "maxOverflow" | "timeoutSeconds" | "recycleSeconds"
> {
  readonly schema: string;
  /** The folder of the service's migrations; the start waits until all of them are applied. */
  readonly migrations: URL;
}

interface OpenRelayDeps<T extends MessagingTables> {
  readonly database: Database<T>;
  readonly bus: Bus;
  readonly stream: StreamName;
  readonly streamReplicas: number;
  readonly accessTokenSeconds: number;
  /** Publishes `auth.watermark` each second; auth only. */
  readonly watermarks?: { readonly source: "auth" };
}

export type ServiceKit = Awaited<ReturnType<typeof createServiceKit>>;

/** Published rows stay in the outbox for an access token's lifetime and this, to republish them to a recreated stream. */
const OUTBOX_MARGIN_SECONDS = 300;

/**
 * Starts what every service has: logger and telemetry at once, database, bus, relay, verifier and jobs on request. Each part is added to
 * `releasers` as soon as it exists and to the readiness of the service. Only the database is waited for; the bus and auth may be down.
 */
export async function createServiceKit({ name, config, releasers }: ServiceKitDeps) {
  const logger: Logger = createLogger({
    service: name,
    level: config.logLevel,
    pretty: config.environment === "development",
    exported: config.telemetry.logs,
  });
  const telemetry = await startTelemetry({ service: name, settings: config.telemetry, logger });
  releasers.add("telemetry", () => telemetry.close());
  const checks = new Map<string, () => ComponentStatus | Promise<ComponentStatus>>();
  let isVerifierReady = async () => true;

  return {
    logger,

    /** Opens the pool and waits until the schema is migrated. */
    async openDatabase<T>({ migrations, ...options }: OpenDatabaseDeps): Promise<Database<T>> {
      const database = createDatabase<T>({ ...options, applicationName: name, logger, echo: config.debug });
      releasers.add("database", () => database.close());
      await waitUntilMigrated(database.db, migrations, logger);
      checks.set("database", () =>
        database.ping().then(
          () => "healthy" as const,
          () => "unhealthy" as const,
        ),
      );
      return database;
    },

    /** Returns the bus at once; it connects, and reconnects, in the background. */
    openBus(url: string): Bus {
      const bus = connectBus({ url, name, logger });
      releasers.add("bus", () => bus.close());
      checks.set("nats", () => (bus.isConnected() ? "healthy" : "unhealthy"));
      return bus;
    },

    openRelay<T extends MessagingTables>(deps: OpenRelayDeps<T>) {
      const { database, bus, stream, streamReplicas, accessTokenSeconds, watermarks } = deps;
      const relay = startRelay({
        db: database.db,
        bus,
        stream: STREAMS[stream],
        replicas: streamReplicas,
        logger,
        retentionSeconds: accessTokenSeconds + OUTBOX_MARGIN_SECONDS,
        watermarks,
      });
      releasers.add("relay", () => relay.close());
      return relay;
    },

    /** Returns a verifier of access tokens. The service is unready until it can tell valid tokens from revoked ones. */
    openVerifier(options: Omit<ConnectVerifierDeps, "logger">) {
      const verifier = connectVerifier({ ...options, logger });
      releasers.add("verifier", () => verifier.close());
      isVerifierReady = () => verifier.ready();
      return verifier;
    },

    startJob(deps: Omit<JobDeps, "logger">): void {
      const job = startJob({ ...deps, logger });
      releasers.add(`job ${deps.name}`, () => job.close());
    },

    /** Adds a resource of the service's own. */
    release: releasers.add,

    /** Adds a check of the service's own to `GET /health/ready`. */
    addCheck: (component: string, check: () => ComponentStatus) => void checks.set(component, check),

    /**
     * Returns the answer of `GET /health/ready`. Ready means: the start is complete and tokens can be verified. A dependency that fails
     * later shows in `checks` only; otherwise one outage of the database would remove every replica at once (docs/reference/design.md).
     */
    async readiness(): Promise<Readiness> {
      const statuses = [...checks].map(async ([component, check]) => [component, await check()] as const);
      const [isReady, entries] = await Promise.all([isVerifierReady(), Promise.all(statuses)]);
      return { status: isReady ? "ready" : "unready", checks: Object.fromEntries(entries) };
    },
  };
}
