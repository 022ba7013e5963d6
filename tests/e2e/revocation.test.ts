import { type RunningServices, type ServiceHandle, startServices } from "@gatehouse/test-kit";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Answer,
  call,
  FIRST_ADMIN,
  login,
  loginAdmin,
  NEW_PASSWORD,
  PASSWORD,
  type Person,
  register,
  until,
} from "@gatehouse/test-kit/api";
import { untilDecides } from "./support/deciders.ts";
import { kidOf, retireFormerKeys, signWithNewKey } from "./support/signing-keys.ts";

/**
 * Every act that revokes or must not, against every place that checks a credential, in every situation. Two gateways: the act happens
 * at one, and the other receives it over the bus or by introspection. Two replicas of auth.
 */
let system: RunningServices;
let here: string;
let there: string;
let admin: Person;
beforeAll(async () => {
  const environment = { REVOCATION_MAX_STALENESS_SECONDS: "2" };
  system = await startServices({ auth: FIRST_ADMIN, auths: 2, gateways: 2, redis: false, environment });
  [here, there] = [system.gateways[0]?.url ?? "", system.gateways[1]?.url ?? ""];
});
afterAll(() => system.stop());

/** Two sessions of one user. Acts on a session affect `own`. */
interface Subject {
  readonly own: Person;
  readonly other: Person;
}

const as = ({ token }: Person, method: string, path: string, json?: object) =>
  call(here, method, path, { token, json });
const asAdmin = ({ own }: Subject, method: string, json?: object) =>
  as(admin, method, `/v1/admin/users/${own.id}`, json);
const refresh = (base: string, { cookie }: Person) => call(base, "POST", "/v1/auth/refresh", { cookie });

async function replay({ own }: Subject): Promise<Answer> {
  const rotated = await refresh(here, own);
  expect((await refresh(here, own)).status).toBe(401);
  return rotated;
}

/** What an act ends: every session of the user, one session, one access token, or nothing. */
type Ends = "everything" | "own session" | "own token" | "nothing";
type Act = readonly [name: string, ends: Ends, act: (subject: Subject) => Promise<Pick<Answer, "status">>];

/** The acts. The ones that end nothing come last, when all revocations have arrived. */
const ACTS: readonly Act[] = [
  ["logout with the bearer", "own session", ({ own }) => as(own, "POST", "/v1/auth/logout")],
  ["logout with the cookie", "own session", ({ own: { cookie } }) => call(here, "POST", "/v1/auth/logout", { cookie })],
  [
    "removal of the session by another one",
    "own session",
    ({ own, other }) => as(other, "DELETE", `/v1/auth/sessions/${own.sessionId}`),
  ],
  ["a replayed refresh token", "own session", replay],
  ["logout everywhere", "everything", ({ own }) => as(own, "POST", "/v1/auth/logout-all")],
  [
    "a password change",
    "everything",
    ({ own }) =>
      as(own, "POST", "/v1/auth/change-password", { current_password: PASSWORD, new_password: NEW_PASSWORD }),
  ],
  ["a password set by an admin", "everything", (subject) => asAdmin(subject, "PATCH", { password: "x" })],
  ["deactivation", "everything", (subject) => asAdmin(subject, "PATCH", { is_active: false })],
  ["another role", "everything", (subject) => asAdmin(subject, "PATCH", { role: "admin" })],
  ["soft deletion", "everything", ({ own }) => as(own, "DELETE", "/v1/users/me", { password: PASSWORD })],
  ["hard deletion", "everything", (subject) => asAdmin(subject, "DELETE")],
  ["retirement of its signing key", "own token", () => retireFormerKeys(system).then(() => ({ status: 204 }))],
  ["another email", "nothing", (subject) => asAdmin(subject, "PATCH", { email: `moved-${subject.own.email}` })],
  ["another name", "nothing", ({ own }) => as(own, "PATCH", "/v1/users/me", { full_name: "Somebody Else" })],
  ["another is_verified", "nothing", (subject) => asAdmin(subject, "PATCH", { is_verified: true })],
  ["the role that it has", "nothing", (subject) => asAdmin(subject, "PATCH", { role: "user" })],
];

type Knower = "auth" | "user" | "gateways";

interface Path {
  readonly credential: "bearer" | "cookie";
  /** Which process decides whether the credential is valid. */
  readonly knower: Knower;
  ask(person: Person): Promise<Answer>;
}

const me = (base: string, { token }: Person) => call(base, "GET", "/v1/users/me", { token });

async function introspect(person: Person): Promise<Answer> {
  const { sub, sid, token_version } = decodeJwt(person.token);
  const json = { tokens: [{ sub, sid, token_version, kid: kidOf(person) }] };
  const token = system.secrets.INTROSPECTION_TOKEN;
  const answer = await call(system.auth.url, "POST", "/internal/introspect", { token, json });
  const [result] = (answer.body["results"] ?? []) as { active: boolean }[];
  return result?.active === false ? { ...answer, status: 401, body: { type: "TokenRevokedError" } } : answer;
}

/** The places that check a credential. The cookie comes last, since the check spends it. */
const PATHS: Readonly<Record<string, Path>> = {
  "the bearer at the gateway of the act": {
    credential: "bearer",
    knower: "gateways",
    ask: (person) => me(here, person),
  },
  "the bearer at another gateway": { credential: "bearer", knower: "gateways", ask: (person) => me(there, person) },
  "the bearer at the user service": {
    credential: "bearer",
    knower: "user",
    ask: (person) => me(system.user.url, person),
  },
  "the bearer at auth": {
    credential: "bearer",
    knower: "auth",
    ask: ({ token }) => call(system.auth.url, "GET", "/v1/auth/sessions", { token }),
  },
  introspection: { credential: "bearer", knower: "auth", ask: introspect },
  "the refresh cookie": { credential: "cookie", knower: "auth", ask: (person) => refresh(there, person) },
};

interface Situation {
  /** Runs before the acts. */
  readonly before?: () => Promise<void>;
  /** Runs between the acts and the checks. */
  readonly between?: () => Promise<unknown>;
  /** Restores the normal state. */
  readonly after?: () => Promise<void>;
  /** Processes that must know from the first answer on; the others as soon as they receive it. */
  readonly knowAtOnce: readonly Knower[];
}

async function kill(services: readonly ServiceHandle[]): Promise<void> {
  await Promise.all(services.map((service) => service.stop("SIGKILL")));
  await Promise.all(services.map((service) => service.start()));
}

/** The situations. */
const SITUATIONS: Readonly<Record<string, Situation>> = {
  "with the bus": { knowAtOnce: ["auth"] },
  "without the bus": {
    before: () => system.bus.stop(),
    after: () => system.bus.start(),
    knowAtOnce: ["auth"],
  },
  "with auth killed and restarted in between": { between: () => kill(system.auths), knowAtOnce: ["auth"] },
  "with the gateways killed and restarted in between": {
    between: () => kill(system.gateways),
    knowAtOnce: ["auth", "gateways"],
  },
};

/** Returns `accepted`, the type of the error, or `unknown` for 503. */
function outcomeOf({ status, body }: Answer): unknown {
  if (status >= 500) return "unknown";
  return status < 300 ? "accepted" : status === 401 ? body["type"] : status;
}

function expectedOf(ends: Ends, who: keyof Subject, { credential }: Path): "accepted" | "refused" {
  if (ends === "nothing" || (ends === "own token" && credential === "cookie")) return "accepted";
  return who === "own" || ends === "everything" ? "refused" : "accepted";
}

/** An unknown key and a deleted refresh token are TokenError. */
function refusalsOf(ends: Ends, { credential }: Path): unknown[] {
  return ends === "own token" || credential === "cookie" ? ["TokenRevokedError", "TokenError"] : ["TokenRevokedError"];
}

async function newSubject(): Promise<Subject> {
  const own = await register(here);
  return { own, other: await login(there, own.email) };
}

/** One subject per act. The subject of the key retirement has a token of the previous key, the others of the next. */
async function newSubjects(): Promise<ReadonlyMap<string, Subject>> {
  const former = await register(here);
  await signWithNewKey(system, former.email);
  const pairs = ACTS.map(async ([name, ends]) => {
    const subject =
      ends === "own token" ? { own: former, other: await login(there, former.email) } : await newSubject();
    return [name, subject] as const;
  });
  return new Map(await Promise.all(pairs));
}

describe.each(Object.entries(SITUATIONS))("%s", (_situation, { before, between, after, knowAtOnce }) => {
  let subjects: ReadonlyMap<string, Subject>;
  const subjectOf = (name: string) => subjects.get(name) as Subject;

  async function actAll(wanted: (ends: Ends) => boolean): Promise<void> {
    const chosen = ACTS.filter(([, ends]) => wanted(ends));
    const answers = await Promise.all(chosen.map(([name, , act]) => act(subjectOf(name))));
    expect(answers.filter(({ status }) => status >= 300)).toEqual([]);
  }

  beforeAll(async () => {
    subjects = await newSubjects();
    admin = await loginAdmin(here);
    await before?.();
    // A starting auth retires keys, so this act comes last.
    await actAll((ends) => ends !== "own token");
    await actAll((ends) => ends === "own token");
    await between?.();
  });

  /** Returns the expected and the actual outcome of one check. */
  async function look(name: string, ends: Ends, who: keyof Subject, way: string, path: Path): Promise<unknown> {
    const expected = expectedOf(ends, who, path);
    const wanted: unknown[] = expected === "accepted" ? ["accepted"] : refusalsOf(ends, path);
    const ask = async () => outcomeOf(await path.ask(subjectOf(name)[who]));
    const atOnce = expected === "accepted" || knowAtOnce.includes(path.knower);
    const outcome = await firstOutcome(ask, (seen) => (atOnce ? seen !== "unknown" : wanted.includes(seen)));
    return { [`${way}, ${who}`]: wanted.includes(outcome) ? expected : outcome };
  }

  it.each(ACTS)("%s ends %s", async (name, ends) => {
    const looks = Object.entries(PATHS).flatMap(([way, path]) =>
      (["own", "other"] as const).map((who) => ({ who, way, path })),
    );
    const seen = await Promise.all(looks.map(({ who, way, path }) => look(name, ends, who, way, path)));
    expect(seen).toEqual(looks.map(({ who, way, path }) => ({ [`${way}, ${who}`]: expectedOf(ends, who, path) })));
  });

  it("rejected credentials stay rejected after recovery", async () => {
    await after?.();
    await Promise.all(system.gateways.map((gateway) => untilDecides("view", gateway, admin)));
    const bearers = Object.values(PATHS).filter(({ credential }) => credential === "bearer");
    const accepted = ACTS.flatMap(([name, ends]) =>
      bearers.flatMap((path) =>
        (["own", "other"] as const)
          .filter((who) => expectedOf(ends, who, path) === "refused")
          .map(async (who) => outcomeOf(await path.ask(subjectOf(name)[who])) === "accepted" && `${name}, ${who}`),
      ),
    );
    expect((await Promise.all(accepted)).filter(Boolean)).toEqual([]);
  });
});

/** Returns the first expected outcome, or the last one when none arrives in time. */
async function firstOutcome(ask: () => Promise<unknown>, willDo: (outcome: unknown) => boolean): Promise<unknown> {
  let outcome: unknown;
  await until(async () => willDo((outcome = await ask()))).catch(() => undefined);
  return outcome;
}
