import { call, FIRST_ADMIN, loginAdmin, PASSWORD, type Person, register } from "@gatehouse/test-kit/api";
import { createTally, startOpenLoop } from "@gatehouse/test-kit/run";
import { connectDatabase, queryOnce, startSystem } from "@gatehouse/test-kit/system";

export type BenchSystem = Awaited<ReturnType<typeof startBenchSystem>>;

interface BenchSystemOptions {
  readonly gateways?: number;
  readonly environment?: NodeJS.ProcessEnv;
  /** Variables of each gateway and its own user service. */
  readonly pairs?: readonly NodeJS.ProcessEnv[];
}

/** Starts several gateways in front of one user service, or pairs. All share auth, database and bus. */
export async function startBenchSystem({ gateways: count = 1, environment, pairs }: BenchSystemOptions) {
  await using releases = new AsyncDisposableStack();
  const { services, servers, databaseUrls } = releases.use(
    await startSystem({
      parts: ["postgres", "nats"],
      replicas: { auth: 1, user: pairs?.length ?? 1, gateway: pairs?.length ?? count },
      environment: { LOG_LEVEL: "info", ...FIRST_ADMIN, ...environment },
      async prepareServer(postgres) {
        await queryOnce(postgres.url, "alter system set track_commit_timestamp = on");
        await postgres.restart();
        return postgres.url;
      },
      connect: ({ ports }) => ({
        own(service, replica) {
          if (service === "auth" || pairs === undefined) return undefined;
          const user = { USER_URL: `http://127.0.0.1:${ports.user[replica]}` };
          return { ...pairs[replica], ...(service === "gateway" && user) };
        },
      }),
    }),
  );
  const database = releases.use(await connectDatabase(databaseUrls.owner));
  const { gateway: gateways, user: users, auth } = services;
  const urls = gateways.map(({ url }) => url);
  const admin = await loginAdmin(urls[0] ?? "");
  const kept = releases.move();
  return {
    ...{ gateways, urls, url: urls[0] ?? "", users, auth: auth[0], nats: servers.nats, database, admin },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const USERS = 20;
/** One request in this many is a login, which hashes and writes an event. The others read the own user. */
const LOGIN_EVERY = 20;

export async function registerUsers(url: string, count = USERS): Promise<Person[]> {
  const users: Person[] = [];
  while (users.length < count) users.push(await register(url));
  return users;
}

/** Sends requests at a steady rate, to one gateway after another. */
export async function startBackgroundLoad(urls: readonly string[], perSecond: number) {
  const users = await registerUsers(urls[0] ?? "");
  const tally = createTally();
  const loop = startOpenLoop(perSecond, async (index) => {
    const [url = "", user] = [urls[index % urls.length], users[index % USERS]];
    const form = { username: user?.email ?? "", password: PASSWORD };
    const answer =
      index % LOGIN_EVERY === 0
        ? call(url, "POST", "/v1/auth/login", { form })
        : call(url, "GET", "/v1/users/me", { token: user?.token });
    const status = await answer.then(
      (one) => one.status,
      () => 0,
    );
    tally.count({ route: "load", status, expected: 200 });
  });
  return { ...loop, tally };
}
