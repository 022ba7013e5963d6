import fc from "fast-check";
import type { Command, TokenName } from "./commands.ts";
import { isLive, LIFETIMES, isTokenValid, type World } from "./session-model.ts";
import { hasAccessToken } from "./view.ts";

/**
 * A command before its users, sessions and tokens are chosen. `pick` and `other` choose among those that the model has by
 * then, so that a shortened run stays meaningful.
 */
interface Intent {
  readonly want: Want;
  readonly pick: number;
  readonly other: number;
}

export interface Step {
  /** Several intents run at once. */
  readonly intents: readonly Intent[];
  /** The row that the test locks until every intent waits for it or has a response, so that the intents overlap. */
  readonly held: "nothing" | "account" | "session";
}

type Want = keyof typeof WEIGHTS;

/** How often each command is tried. Commands that end sessions are rare, so that enough sessions remain to rotate. */
const WEIGHTS = {
  login: 8,
  loginWithWrongPassword: 1,
  refresh: 10,
  refreshRotated: 3,
  refreshAny: 2,
  refreshUnknown: 1,
  refreshMalformed: 1,
  logoutByBearer: 1,
  logoutByCookie: 2,
  logoutAll: 1,
  removeSession: 1,
  changePassword: 1,
  changePasswordWithWrongOne: 1,
  deleteSelf: 1,
  setPassword: 1,
  deactivate: 1,
  reactivate: 3,
  setRole: 1,
  setEmail: 1,
  setVerified: 1,
  restore: 3,
  passGrace: 2,
  passAccessToken: 1,
  passDays: 2,
  passRefreshToken: 1,
  cleanUp: 2,
};

const NEVER_A_PASSWORD = 0;

const want = fc.oneof(
  ...Object.entries(WEIGHTS).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as Want) })),
);
const intent = fc.record({ want, pick: fc.nat(999), other: fc.nat(999) });
const held = fc.constantFrom("nothing" as const, "account" as const, "session" as const);

const alone = intent.map((one): Step => ({ intents: [one], held: "nothing" }));
const together = fc.record({ intents: fc.array(intent, { minLength: 2, maxLength: 4 }), held });
/** Simultaneous uses of one token, sometimes with another command. */
const tokenRace = fc
  .record({
    use: fc.record({
      want: fc.constantFrom("refresh" as const, "refresh" as const, "refreshRotated" as const),
      pick: fc.nat(999),
      other: fc.nat(999),
    }),
    uses: fc.integer({ min: 2, max: 8 }),
    others: fc.array(intent, { maxLength: 1 }),
    held,
  })
  .map(({ use, uses, others, held }): Step => ({ intents: [...Array<Intent>(uses).fill(use), ...others], held }));
/** The same command two or three times simultaneously: it must take effect once. */
const doubled = fc
  .record({
    use: fc.record({
      want: fc.constantFrom<Want[]>(
        "login",
        "logoutByBearer",
        "logoutByCookie",
        "logoutAll",
        "removeSession",
        "deleteSelf",
      ),
      pick: fc.nat(999),
      other: fc.nat(999),
    }),
    uses: fc.integer({ min: 2, max: 3 }),
    held,
  })
  .map(({ use, uses, held }): Step => ({ intents: Array<Intent>(uses).fill(use), held }));

export const steps = fc.noBias(
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: alone },
      { weight: 3, arbitrary: together },
      { weight: 2, arbitrary: tokenRace },
      { weight: 1, arbitrary: doubled },
    ),
    { minLength: 1, maxLength: 40, size: "max" },
  ),
);

/** Returns the commands of a step in this world. Omits commands without a user, session or token to choose. */
export function commandsOf(world: World, { intents }: Step, fresh: () => number): Command[] {
  return intents.flatMap((one) => {
    const command = commandOf(world, one, fresh);
    // Time does not pass during simultaneous commands.
    return command === undefined || (command.is === "passTime" && intents.length > 1) ? [] : [command];
  });
}

/** `fresh` returns numbers that are new in this run, for sessions, passwords and emails. */
function commandOf(world: World, { want, pick, other }: Intent, fresh: () => number): Command | undefined {
  const user = choose(Object.keys(world.users), pick) ?? "";
  const { password = NEVER_A_PASSWORD, email = 0, isVerified = false, role } = world.users[user] ?? {};
  switch (want) {
    case "login":
      return { is: "login", user, email, password, session: `s${fresh()}` };
    case "loginWithWrongPassword":
      return { is: "login", user, email, password: NEVER_A_PASSWORD, session: `s${fresh()}` };
    case "refresh":
    case "refreshRotated":
    case "refreshAny":
      return aboutToken("refresh", tokenFor(world, want, pick, other));
    case "refreshUnknown":
      return { is: "refresh", token: "unknown" };
    case "refreshMalformed":
      return { is: "refresh", token: "malformed" };
    case "logoutByCookie":
      return aboutToken("logoutByCookie", tokenFor(world, other % 2 === 0 ? "refresh" : "refreshAny", pick, other));
    case "deactivate":
    case "reactivate":
      return { is: "setActive", user, isActive: want === "reactivate" };
    case "setRole":
      return { is: "setRole", user, role: role === "admin" ? "user" : "admin" };
    case "setPassword":
    case "setEmail":
      return { is: want, user, next: fresh() };
    case "setVerified":
      return { is: "setVerified", user, isVerified: !isVerified };
    case "restore":
    case "cleanUp":
      return { is: want, user };
    case "passGrace":
    case "passAccessToken":
    case "passDays":
    case "passRefreshToken": {
      const session = choose(Object.keys(world.sessions), pick);
      return session === undefined ? undefined : { is: "passTime", session, seconds: SPANS[want] };
    }
    default:
      return byBearer(world, { want, pick, other }, fresh);
  }
}

/** Seconds. No sum of them is within milliseconds of a lifetime, so the duration of a run does not change its result. */
export const SPANS = {
  passGrace: 11,
  passAccessToken: LIFETIMES.accessToken + 1,
  passDays: LIFETIMES.refreshToken - 86_400,
  passRefreshToken: LIFETIMES.refreshToken + 1,
};

function byBearer(
  world: World,
  { want, pick, other }: { want: BearerWant; pick: number; other: number },
  fresh: () => number,
): Command | undefined {
  const unexpired = Object.keys(world.sessions).filter((name) => hasAccessToken(world, name));
  const valid = unexpired.filter((name) => isTokenValid(world, name));
  // One in four carries any unexpired token, usually a revoked one.
  const bearer = choose(other % 4 === 0 || valid.length === 0 ? unexpired : valid, pick);
  if (bearer === undefined) return undefined;
  const password = world.users[world.sessions[bearer]?.user ?? ""]?.password ?? NEVER_A_PASSWORD;
  switch (want) {
    case "logoutByBearer":
    case "logoutAll":
      return { is: want, bearer };
    case "removeSession":
      return { is: "removeSession", bearer, session: choose(Object.keys(world.sessions), other) ?? bearer };
    case "changePassword":
      return { is: "changePassword", bearer, password, next: fresh() };
    case "changePasswordWithWrongOne":
      return { is: "changePassword", bearer, password: NEVER_A_PASSWORD, next: fresh() };
    case "deleteSelf":
      return { is: "deleteSelf", bearer, password };
  }
}
type BearerWant =
  | "logoutByBearer"
  | "logoutAll"
  | "removeSession"
  | "changePassword"
  | "changePasswordWithWrongOne"
  | "deleteSelf";

function aboutToken(is: "refresh" | "logoutByCookie", token: TokenName | undefined): Command | undefined {
  return token && { is, token };
}

/** Returns the newest token of a live session, its predecessor, or any token. */
function tokenFor(world: World, want: "refresh" | "refreshRotated" | "refreshAny", pick: number, other: number) {
  const all = Object.entries(world.sessions);
  const live = all.filter(([, session]) => isLive(session));
  const [name, session] = choose(want === "refreshAny" || live.length === 0 ? all : live, pick) ?? [];
  if (name === undefined || session === undefined) return undefined;
  const last = session.tokens.length - 1;
  const generation = { refresh: last, refreshRotated: Math.max(0, last - 1), refreshAny: other % (last + 1) }[want];
  return { session: name, generation };
}

function choose<T>(from: readonly T[], pick: number): T | undefined {
  return from[pick % from.length];
}
