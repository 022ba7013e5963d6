import type { Answer, Command, Role, TokenName } from "./commands.ts";

/**
 * The rules of docs/reference/tokens.md as a small program: users, their sessions (each one family of refresh tokens), and each
 * command's response and changes. It has no tables, locks or processes: commands run one after another.
 *
 * Names are symbols. The refresh tokens of session `s1` are its generations 0, 1, 2 and so on. A token rotates once, so the
 * successor of generation 1 is generation 2 for every caller. Each session has its own clock.
 */

const DAY = 86_400;
/** Seconds, as the services under test are configured. The longest session is short, so that runs reach its end. */
export const LIFETIMES = { accessToken: 900, refreshToken: 7 * DAY, session: 10 * DAY };

/** Why a session ended. A session ends once. */
type End =
  | "logout"
  | "logout_all"
  | "removed"
  | "replay"
  | "password_changed"
  | "deactivated"
  | "role_changed"
  | "deleted";

/** The number of a password or an email is its position in the user's history. */
interface User {
  password: number;
  email: number;
  role: Role;
  isActive: boolean;
  isDeleted: boolean;
  isVerified: boolean;
  tokenVersion: number;
  version: number;
}

/** Times are seconds on the session's clock. */
interface Session {
  readonly user: string;
  /** The user's token_version at login, which all access tokens of the session carry: a command that raises it ends the session. */
  readonly tokenVersion: number;
  clock: number;
  accessIssuedAt: number;
  ended: End | null;
  readonly tokens: { readonly expiresAt: number; rotatedAt: number | null }[];
}

export interface World {
  /** REFRESH_REUSE_GRACE_SECONDS. */
  readonly grace: number;
  readonly users: Record<string, User>;
  readonly sessions: Record<string, Session>;
  readonly events: string[];
}

const done: Answer = { status: 204, cookie: "cleared" };
const changed: Answer = { status: 200, cookie: "untouched" };
const refused = (error: string, cookie: Answer["cookie"] = "untouched"): Answer => ({ status: 401, error, cookie });
const notFound = (error: string): Answer => ({ status: 404, error, cookie: "untouched" });

export const newUser = (): User => ({
  password: 1,
  email: 1,
  role: "user",
  isActive: true,
  isDeleted: false,
  isVerified: false,
  tokenVersion: 1,
  version: 1,
});

/** Returns the answer of a command and changes `world` as the command does. */
export function act(world: World, command: Command): Answer {
  switch (command.is) {
    case "login":
      return login(world, command);
    case "refresh":
      return refresh(world, command.token);
    case "logoutByBearer":
      // The command carries no cookie, so an invalid bearer leaves no credentials.
      return isTokenValid(world, command.bearer) ? logout(world, command.bearer) : refused("TokenError");
    case "logoutByCookie":
      return logoutByCookie(world, command.token);
    case "logoutAll":
      return asCaller(world, command.bearer, (name) => {
        endAll(world, name, "logout_all");
        emit(world, name, "auth.sessions.revoked logout_all");
        return done;
      });
    case "removeSession":
      return asCaller(world, command.bearer, (name) => removeSession(world, name, command.session));
    case "changePassword":
      return asCaller(world, command.bearer, (name, user) => {
        if (user.password !== command.password) return refused("InvalidCredentials");
        setPassword(world, name, command.next, "self");
        return done;
      });
    case "deleteSelf":
      return deleteSelf(world, command);
    case "restore":
      return restore(world, command.user);
    case "passTime":
      sessionOf(world, command.session).clock += command.seconds;
      return changed;
    case "cleanUp":
      return changed;
    default:
      return actAsAdmin(world, command);
  }
}

function login(world: World, command: Extract<Command, { is: "login" }>): Answer {
  const { user: name, session } = command;
  const user = userOf(world, name);
  const isKnown = !user.isDeleted && user.email === command.email;
  if (!isKnown || user.password !== command.password) return refused("InvalidCredentials");
  if (!user.isActive) return refused("InactiveUser");
  const { tokenVersion } = user;
  world.sessions[session] = { user: name, tokenVersion, clock: 0, accessIssuedAt: 0, ended: null, tokens: [] };
  emit(world, name, `auth.session.started ${session}`);
  return issue(world, session);
}

/** Returns the answer to a refresh token: rotated, reused within the grace, replayed or rejected. */
function refresh(world: World, token: TokenName): Answer {
  const found = find(world, token);
  if (!found || found.token.expiresAt <= found.session.clock) return refused("TokenError");
  const { session, name, generation } = found;
  if (session.ended) return refused("TokenRevokedError");
  const { rotatedAt } = found.token;
  if (rotatedAt === null) {
    found.token.rotatedAt = session.clock;
    return issue(world, name);
  }
  if (session.clock - rotatedAt < world.grace) {
    const successor = session.tokens[generation + 1];
    if (!successor || successor.rotatedAt !== null) return refused("TokenError");
    return pair(world, name, generation + 1);
  }
  end(world, name, "replay");
  return refused("TokenRevokedError", "cleared");
}

/** Any unexpired token of a live session is accepted, rotated or not. */
function logoutByCookie(world: World, token: TokenName): Answer {
  const found = find(world, token);
  if (!found || found.token.expiresAt <= found.session.clock) return refused("TokenError");
  return found.session.ended ? refused("TokenRevokedError") : logout(world, found.name);
}

function logout(world: World, session: string): Answer {
  end(world, session, "logout");
  return done;
}

function removeSession(world: World, user: string, name: string): Answer {
  const session = world.sessions[name];
  if (!session || session.user !== user || !isLive(session)) return notFound("ResourceNotFound");
  end(world, name, "removed");
  return { status: 204, cookie: "untouched" };
}

/** The user service has verified the bearer. Auth verifies the password and then the bearer again. */
function deleteSelf(world: World, { bearer, password }: Extract<Command, { is: "deleteSelf" }>): Answer {
  if (userOf(world, sessionOf(world, bearer).user).password !== password) return refused("InvalidCredentials");
  return asCaller(world, bearer, (name, user) => {
    endAll(world, name, "deleted");
    user.isDeleted = true;
    emit(world, name, "auth.account.deleted");
    return changed;
  });
}

function restore(world: World, name: string): Answer {
  const user = userOf(world, name);
  if (!user.isDeleted) return changed;
  user.isDeleted = false;
  user.version += 1;
  emit(world, name, "auth.account.restored");
  return changed;
}

/** An admin's change. Only values that differ count. A deleted user is unknown. */
function actAsAdmin(world: World, command: Extract<Command, { is: `set${string}` }>): Answer {
  const { user: name } = command;
  const user = userOf(world, name);
  if (user.isDeleted) return notFound("UserNotFound");
  if (command.is === "setPassword") {
    setPassword(world, name, command.next, "admin");
  } else if (command.is === "setRole" && command.role !== user.role) {
    user.role = command.role;
    endAll(world, name, "role_changed");
    emit(world, name, "auth.account.updated role", "auth.sessions.revoked role_changed");
  } else if (command.is === "setActive" && user.isActive && !command.isActive) {
    user.isActive = false;
    endAll(world, name, "deactivated");
    emit(world, name, "auth.account.updated is_active", "auth.sessions.revoked deactivated");
  } else if (command.is === "setActive" && !user.isActive && command.isActive) {
    amend(world, name, { isActive: true }, "is_active");
  } else if (command.is === "setEmail" && command.next !== user.email) {
    amend(world, name, { email: command.next, isVerified: false }, user.isVerified ? "email,is_verified" : "email");
  } else if (command.is === "setVerified" && command.isVerified !== user.isVerified) {
    amend(world, name, { isVerified: command.isVerified }, "is_verified");
  }
  return changed;
}

/** A change that ends no session. */
function amend(world: World, name: string, values: Partial<User>, fields: string): void {
  const user = userOf(world, name);
  Object.assign(user, values);
  user.version += 1;
  emit(world, name, `auth.account.updated ${fields}`);
}

function setPassword(world: World, name: string, next: number, by: "self" | "admin"): void {
  userOf(world, name).password = next;
  endAll(world, name, "password_changed");
  emit(world, name, `auth.password.changed ${by}`);
}

/** Raises token_version and ends all sessions of the user. */
function endAll(world: World, name: string, reason: End): void {
  const user = userOf(world, name);
  user.tokenVersion += 1;
  user.version += 1;
  for (const session of Object.values(world.sessions))
    if (session.user === name && !session.ended) session.ended = reason;
}

function end(world: World, name: string, reason: Extract<End, "logout" | "removed" | "replay">): void {
  const session = sessionOf(world, name);
  session.ended = reason;
  emit(world, session.user, `auth.session.revoked ${name} ${reason}`);
}

/** Issues the next refresh token and an access token. Neither outlives the session. */
function issue(world: World, name: string): Answer {
  const { clock, tokens } = sessionOf(world, name);
  const expiresAt = Math.min(clock + LIFETIMES.refreshToken, LIFETIMES.session);
  return pair(world, name, tokens.push({ expiresAt, rotatedAt: null }) - 1);
}

function pair(world: World, name: string, generation: number): Answer {
  const session = sessionOf(world, name);
  session.accessIssuedAt = session.clock;
  const { role } = userOf(world, session.user);
  const access = `${name} version ${session.tokenVersion} ${role}`;
  return { status: 200, cookie: "set", token: `${name}.${generation}`, access };
}

function asCaller(world: World, bearer: string, command: (name: string, user: User) => Answer): Answer {
  const name = sessionOf(world, bearer).user;
  return isTokenValid(world, bearer) ? command(name, userOf(world, name)) : refused("TokenRevokedError");
}

/** Returns whether the unexpired access tokens of a session are valid. */
export function isTokenValid(world: World, name: string): boolean {
  const session = sessionOf(world, name);
  const user = userOf(world, session.user);
  return !session.ended && user.isActive && !user.isDeleted && user.tokenVersion === session.tokenVersion;
}

/** Returns whether `GET /v1/auth/sessions` lists the session: it has not ended and has an unused, unexpired refresh token. */
export function isLive({ ended, tokens, clock }: Session): boolean {
  return !ended && tokens.some(({ rotatedAt, expiresAt }) => rotatedAt === null && expiresAt > clock);
}

function find(world: World, token: TokenName) {
  if (typeof token === "string") return undefined;
  const session = sessionOf(world, token.session);
  const found = session.tokens[token.generation];
  return found && { session, name: token.session, generation: token.generation, token: found };
}

/** Events of one change carry the version that the user has after it. */
function emit(world: World, user: string, ...events: string[]): void {
  const { version, tokenVersion } = userOf(world, user);
  for (const event of events) {
    const raises = /revoked (?:logout_all|role_changed|deactivated)|password|deleted/.test(event);
    world.events.push(`${user} version ${version}${raises ? ` token ${tokenVersion}` : ""}: ${event}`);
  }
}

function userOf(world: World, name: string): User {
  const user = world.users[name];
  if (!user) throw new Error(`The model has no user ${name}.`);
  return user;
}

function sessionOf(world: World, name: string): Session {
  const session = world.sessions[name];
  if (!session) throw new Error(`The model has no session ${name}.`);
  return session;
}
