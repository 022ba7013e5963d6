import { databaseUrl, REPOSITORY_ROOT, runCommand, type ServiceName } from "@gatehouse/local-stack";
import {
  createLoadBalancer,
  inventPasswords,
  inventSecret,
  queryOnce,
  shippedConfiguration,
  startSystem,
  type System,
} from "@gatehouse/test-kit/system";

export type DrillSystem = Awaited<ReturnType<typeof startDrillSystem>>;

export interface SystemOptions {
  readonly environment?: NodeJS.ProcessEnv;
  /** The root of another checkout of this repository, which the system then runs. */
  readonly tree?: string;
  readonly logFolder?: string | undefined;
}

/** Redis counts the limits, but the load never reaches them: all of it comes from one address. */
const LIMITS = {
  RATE_LIMIT_ENABLED: "true",
  RATE_LIMIT_DEFAULT: "1000000/minute",
  RATE_LIMIT_LOGIN: "1000000/minute",
  RATE_LIMIT_REGISTER: "1000000/minute",
};

/**
 * Starts Gatehouse as an operator runs it: two processes of each service, PostgreSQL with an owner who is no superuser, NATS with the
 * configuration of deploy/nats, Redis with a password.
 */
export async function startDrillSystem({ environment, tree, logFolder }: SystemOptions) {
  const bus = inventPasswords();
  const natsEnvironment: Record<string, string> = { ...bus.environment };
  const system = await startSystem({
    parts: ["postgres", "nats", "redis"],
    replicas: { auth: 2, user: 2, gateway: 2 },
    setups: {
      nats: { nats: { configuration: shippedConfiguration("nats-server.conf"), environment: natsEnvironment } },
      redis: { password: inventSecret() },
    },
    environment: { LOG_LEVEL: "info", ...LIMITS, ...environment },
    async prepareServer({ url }) {
      const owner = { role: "gatehouse_owner", password: inventSecret() };
      await queryOnce(url, `create role ${owner.role} login createdb createrole password '${owner.password}'`);
      return databaseUrl(url, "postgres", owner);
    },
    connect: ({ servers: { nats } }) => ({
      natsUrl: (service) => `nats://${bus.credentialsOf(service)}@127.0.0.1:${nats.port}`,
    }),
    ...{ tree, logFolder },
  });
  const balancer = await createLoadBalancer(system.services.gateway.map(({ url }) => url));
  return {
    ...{ ...system, balancer },
    /** The variables of nats-server, which it reads at each start. */
    natsEnvironment,
    async [Symbol.asyncDispose]() {
      await balancer.close();
      await system[Symbol.asyncDispose]();
    },
  };
}

/**
 * Restarts one process of a service after another, with SIGTERM, and waits until each is ready.
 * @param environment variables over those that it had
 * @param tree the root of the checkout that it runs from now on
 * @throws Error when a process does not exit with 0, or does not start
 */
export async function restartRolling(
  { services, balancer }: DrillSystem,
  service: ServiceName,
  environment: NodeJS.ProcessEnv,
  tree?: string,
): Promise<void> {
  for (const replica of services[service]) {
    const end = await replica.stop("SIGTERM");
    if (end !== "exit code 0") throw new Error(`${replica.name} ended with ${end}`);
    await replica.start(environment, tree);
    if (service === "gateway") await balancer.untilReady(services.gateway.length);
  }
}

/**
 * Runs `pnpm ops …` or `pnpm migrate …` with `--json` and without a local stack.
 * @param tree the root of the checkout whose command it is
 * @throws Error with the command's message
 */
export async function runPnpm<T>(
  script: "ops" | "migrate",
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  tree: string = REPOSITORY_ROOT,
): Promise<T> {
  const options = { folder: tree, environment: { ...environment, STACK_DIR: "/nowhere" }, withinMs: 60_000 };
  const command = [`tools/${script}/main.ts`, ...args, "--json"];
  const { ok, stdout, reason } = await runCommand(process.execPath, command, options);
  if (!ok) throw new Error(`pnpm ${script} ${args.join(" ")}: ${reason}`);
  return JSON.parse(stdout) as T;
}

/** The variables of auth, with which operators run `pnpm ops`. */
export function authEnvironment({ services }: Pick<System, "services">): NodeJS.ProcessEnv {
  return services.auth[0]?.environment() ?? {};
}
