import { isLive, LIFETIMES, isTokenValid, type World } from "./session-model.ts";

/** Everything observable about a world: in the model, and in the tables and answers of the service. */
export interface View {
  readonly users: Record<string, string>;
  /** Sessions with unexpired refresh tokens, and these tokens. Clean-up may delete the others at any time. */
  readonly sessions: Record<string, { readonly ended: string | null; readonly tokens: Record<string, string> }>;
  /** The sessions whose access tokens have not expired: `valid` or `revoked`, by introspection. */
  readonly access: Record<string, string>;
  /** What `GET /v1/auth/sessions` lists for users with a valid access token. */
  readonly listed: Record<string, readonly string[]>;
  /** Sorted, because simultaneous commands may write them in any order. */
  readonly events: readonly string[];
}

/** Returns whether the newest access token of a session has not expired. */
export function hasAccessToken(world: World, name: string): boolean {
  const session = world.sessions[name];
  return session !== undefined && session.clock - session.accessIssuedAt < LIFETIMES.accessToken;
}

/** Returns what must be observed at the service if it is in the model's state. */
export function viewOf(world: World): View {
  const view = { users: {}, sessions: {}, access: {}, listed: {} } as Mutable<Omit<View, "events">>;
  for (const [name, user] of Object.entries(world.users)) view.users[name] = describeUser(user);
  for (const [name, session] of Object.entries(world.sessions)) {
    const tokens: Record<string, string> = {};
    for (const [generation, { expiresAt, rotatedAt }] of session.tokens.entries())
      if (expiresAt > session.clock) tokens[`${name}.${generation}`] = rotatedAt === null ? "unused" : "rotated";
    if (Object.keys(tokens).length > 0) view.sessions[name] = { ended: session.ended, tokens };
    if (hasAccessToken(world, name)) view.access[name] = isTokenValid(world, name) ? "valid" : "revoked";
  }
  for (const user of Object.keys(world.users)) {
    const own = Object.entries(world.sessions).filter(([, session]) => session.user === user);
    if (own.some(([name]) => view.access[name] === "valid"))
      view.listed[user] = own.flatMap(([name, session]) => (isLive(session) ? [name] : [])).toSorted();
  }
  return { ...view, events: world.events.toSorted() };
}

/** Returns one line, which makes a difference easy to read. */
export function describeUser(user: {
  role: string;
  isActive: boolean;
  isDeleted: boolean;
  isVerified: boolean;
  email: number;
  tokenVersion: number;
  version: number;
}): string {
  const { email, role, isActive, isDeleted, isVerified, tokenVersion, version } = user;
  const state = [
    isActive ? "active" : "inactive",
    ...(isDeleted ? ["deleted"] : []),
    ...(isVerified ? ["verified"] : []),
  ];
  return `${role} ${state.join(" ")} email ${email} version ${version} token ${tokenVersion}`;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
