import { calledBy, type DeclaredService, SERVICES, SERVICES_WITH_DATABASE, perService } from "@gatehouse/declarations";
import {
  createPidRecords,
  databaseUrl,
  hasAdmin,
  launchService,
  lockFolder,
  type PidRecords,
  prepareDatabases,
  type ProcessIdentity,
  serviceEnvironment,
  type StackAddresses,
  startLocalStack,
  waitForFirstAdmin,
} from "@gatehouse/local-stack";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { launchWatched } from "../dev/watched-service.ts";
import { type Observation, startObservation } from "../observe/start-observation.ts";
import { announceAddresses } from "./addresses.ts";
import { assertPortsFree, gatewayHost } from "./ports.ts";
import { loadSecrets, passwordVariableOf, type StackSecrets } from "./secrets.ts";
import type { StackSettings } from "./settings.ts";
import type { Shutdown } from "./shutdown.ts";

export interface StartOptions {
  readonly settings: StackSettings;
  readonly fresh: boolean;
  readonly observe: boolean;
  readonly watch: boolean;
  readonly master: ProcessIdentity | undefined;
  readonly shutdown: Shutdown;
  readonly say: (line: string) => void;
}

/** The given variables, and a generated value for each secret that is not set. */
type StackEnvironment = NodeJS.ProcessEnv & Pick<StackSecrets, "POSTGRES_PASSWORD">;

/** A watched service is one process, which restarts faster. */
const ALONE = { WEB_CONCURRENCY: "1" };

/** What --fresh removes from the folder. */
const KEPT = ["postgres", "nats", "redis", "secrets.json"];

/** Starts servers and services in the order of their dependencies; returns when they are ready and the first admin exists. */
export async function startEverything(options: StartOptions): Promise<void> {
  const { settings, say } = options;
  const { records, secrets } = await takeFolder(options);
  await assertPortsFree(settings);
  const environment: StackEnvironment = { ...secrets, ...withoutBlanks(settings.environment) };
  const addresses = await startServers(options, environment, records);
  options.shutdown.add(announceAddresses(settings.dir, addresses));
  const observation = await observe(options, environment);
  await startServices(options, { ...environment, ...observation?.variables }, addresses, records, observation);
  const email = environment["FIRST_ADMIN_EMAIL"];
  if (email !== undefined) await waitForFirstAdmin(email, addresses.databaseUrls, options.shutdown.signal);
  else if (!(await hasAdmin(addresses.databaseUrls.auth)))
    say("There is no admin yet. To create one, set FIRST_ADMIN_EMAIL and FIRST_ADMIN_PASSWORD and start again.");
  const url = `http://${gatewayHost(settings.environment)}:${settings.ports.gateway}`;
  if (observation) say(firstRequest(url));
  observation?.begin();
  say(`gatehouse ready on ${url}`);
}

/** The observation stops after the services, which send their last traces when they stop. */
async function observe(
  { observe: isWanted, shutdown, say }: StartOptions,
  environment: NodeJS.ProcessEnv,
): Promise<Observation | undefined> {
  if (!isWanted) return undefined;
  const observation = await startObservation(environment, say);
  shutdown.add(() => observation.stop());
  return observation;
}

/** Returns a command that causes a trace. */
function firstRequest(url: string): string {
  const body = `{"email":"ada@example.com","password":"Correct-Horse-1"}`;
  return `try: curl ${url}/v1/users -H 'content-type: application/json' -d '${body}'`;
}

/** Locks the folder and ends the processes of an earlier run. With `fresh` removes its data. */
async function takeFolder({
  settings,
  fresh,
  master,
  shutdown,
  say,
}: StartOptions): Promise<{ records: PidRecords; secrets: StackSecrets }> {
  const { dir } = settings;
  mkdirSync(dir, { recursive: true });
  const lock = await lockFolder(dir, master);
  shutdown.add(() => lock.release());
  const records = createPidRecords(join(dir, "run"));
  const left = await records.endAll();
  if (left.length > 0) say(`ended processes of an earlier run: ${left.join(", ")}`);
  if (fresh) for (const name of KEPT) rmSync(join(dir, name), { recursive: true, force: true });
  return { records, secrets: loadSecrets(dir) };
}

async function startServers(
  { settings, fresh, shutdown, say }: StartOptions,
  environment: StackEnvironment,
  records: PidRecords,
): Promise<StackAddresses> {
  const stack = startLocalStack({
    dir: settings.dir,
    environment,
    ownerPassword: environment.POSTGRES_PASSWORD,
    fresh,
    log: say,
    records,
    signal: shutdown.signal,
    onStarted(part, server) {
      shutdown.add(() => server.stop());
      void server.ended.then((how) => shutdown.signal.aborted || say(`${part} ended (${how})`));
    },
  });
  const migrated = stack.postgres().then(async (ownerUrl) => {
    const database = decodeURIComponent(new URL(ownerUrl).pathname.slice(1));
    const urlOf = (role: string, password: string) => databaseUrl(ownerUrl, database, { role, password });
    const serviceUrls = Object.fromEntries(
      SERVICES_WITH_DATABASE.map(({ name, database: { role, urlVariable } }) => [
        name,
        environment[urlVariable] ?? urlOf(role, environment[passwordVariableOf(name)] as string),
      ]),
    ) as StackAddresses["databaseUrls"];
    await prepareDatabases({ ownerUrl, serviceUrls });
    say("migrated all schemas");
    return serviceUrls;
  });
  const parts = [migrated, stack.nats(), stack.redis()] as const;
  for (const part of parts) void shutdown.track(part);
  const [databaseUrls, natsUrl, redisUrl] = await Promise.all(parts);
  return { ports: perService(({ name }) => [settings.ports[name] as number]), databaseUrls, natsUrl, redisUrl };
}

async function startServices(
  { settings, watch, shutdown, say }: StartOptions,
  environment: NodeJS.ProcessEnv,
  addresses: StackAddresses,
  records: PidRecords,
  observation: Observation | undefined,
): Promise<void> {
  const start = async ({ name: service, isEdge }: DeclaredService) => {
    const host = isEdge ? gatewayHost(settings.environment) : "127.0.0.1";
    shutdown.signal.throwIfAborted();
    const launch = {
      service,
      environment: { ...serviceEnvironment(service, environment, addresses), ...(watch && ALONE) },
      url: `http://${host}:${settings.ports[service]}`,
      records,
      onLine: (line: string) => observation?.replaces(line) || say(`${service.padEnd(7)} | ${line}`),
    };
    const launched = watch ? await launchWatched(launch, say) : await launchService(launch);
    shutdown.add(() => launched.stop());
    shutdown.signal.throwIfAborted();
    await launched.waitUntilReady(shutdown.signal);
    if ("ended" in launched)
      void launched.ended.then((how) => shutdown.signal.aborted || say(`${service} ended (${how})`));
  };
  // Services that call others start last: they would log that the others are unavailable.
  const [first, later] = [
    SERVICES.filter((one) => calledBy(one).length === 0),
    SERVICES.filter((one) => calledBy(one).length > 0),
  ];
  for (const wave of [first, later]) await Promise.all(wave.map((one) => shutdown.track(start(one))));
}

/** Services treat an empty variable as not set. */
function withoutBlanks(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
}
