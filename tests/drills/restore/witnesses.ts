import { type Answer, type Client, createClient } from "../load/client.ts";
import { PASSWORD } from "../load/population.ts";
import { createTally } from "../load/tally.ts";

const NEW_PASSWORD = "Battery-Staple-2";

interface Witness {
  readonly email: string;
  readonly token: string;
  readonly cookie: string;
}

/** People about whom is known what they did before the dump and after it. */
export interface Witnesses {
  /** After the dump: one logs out, one takes another password, and one comes whom the dump does not know. */
  goOn(): Promise<void>;
  /** Tries what the restored system must do. @throws Error saying what it did instead */
  testify(): Promise<void>;
}

/** Registers them and logs them in; they are as the dump shall show them. */
export async function callWitnesses(nextUrl: () => string): Promise<Witnesses> {
  const stayed = await enter(nextUrl, "stayed");
  const left = await enter(nextUrl, "left");
  const changed = await enter(nextUrl, "changed");
  let late: Witness | undefined;

  return {
    async goOn() {
      await asking(nextUrl, async (client) => {
        await client.send({ method: "POST", path: "/v1/auth/logout", expected: 204, token: left.token });
        const json = { current_password: PASSWORD, new_password: NEW_PASSWORD };
        await client.send({
          ...{ method: "POST", path: "/v1/auth/change-password", expected: 204 },
          ...{ token: changed.token, json },
        });
      });
      late = await enter(nextUrl, "late");
    },
    async testify() {
      await asking(nextUrl, async (client) => {
        const me = { method: "GET", path: "/v1/auth/me" } as const;
        // Every access token of before is worth nothing, whatever became of it after the dump.
        for (const { token } of [stayed, left, changed, late ?? stayed])
          await client.send({ ...me, expected: 401, token });
        // Sessions are as they were at the dump: the one that ended later is alive.
        for (const { cookie } of [stayed, left, changed]) {
          const answer = await client.send({ method: "POST", path: "/v1/auth/refresh", expected: 200, cookie });
          await client.send({ ...me, expected: 200, token: tokenOf(answer) });
        }
        // So are passwords, and who there is.
        await logIn(client, changed.email, PASSWORD, 200);
        await logIn(client, changed.email, NEW_PASSWORD, 401);
        await logIn(client, late?.email ?? "", PASSWORD, 401);
        const answer = await logIn(client, stayed.email, PASSWORD, 200);
        const token = tokenOf(answer);
        await client.send({
          ...{ method: "PATCH", path: "/v1/users/me", expected: 200 },
          ...{ token, json: { full_name: "Known again" } },
        });
      });
    },
  };
}

async function enter(nextUrl: () => string, name: string): Promise<Witness> {
  const email = `witness-${name}-${process.pid}@example.com`;
  return await asking(nextUrl, async (client) => {
    const json = { email, password: PASSWORD };
    await client.send({ method: "POST", path: "/v1/users", expected: 201, json });
    const answer = await logIn(client, email, PASSWORD, 200);
    return { email, token: tokenOf(answer), cookie: answer?.cookie ?? "" };
  });
}

function logIn(client: Client, email: string, password: string, expected: number): Promise<Answer | undefined> {
  const form = { username: email, password };
  return client.send({ method: "POST", path: "/v1/auth/login", expected, form });
}

function tokenOf(answer: Answer | undefined): string {
  return String(answer?.body["access_token"]);
}

/** @throws Error when an answer was not the expected one */
async function asking<R>(nextUrl: () => string, work: (client: Client) => Promise<R>): Promise<R> {
  const tally = createTally();
  const client = createClient(nextUrl, tally);
  const result = await work(client).finally(() => client.close());
  if (tally.failures.length > 0) throw new Error(`a witness was answered otherwise: ${tally.failures.join("; ")}`);
  return result;
}
