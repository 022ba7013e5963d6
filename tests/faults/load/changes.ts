import {
  type Client,
  complainAbout,
  dropSession,
  endSessions,
  type Person,
  type Request,
  type Session,
} from "./client.ts";

/** Marks in names: the throwing consumer fails on their events. */
export const FAILS = { always: "fails always", twice: "fails twice" } as const;

/** A change that nothing known to the client forbids. */
interface Change {
  readonly request: Request;
  readonly value?: string | undefined;
  /** The person's state when it is done. */
  readonly after?: Partial<Person>;
  /** The sessions that it ends. */
  readonly ends?: readonly Session[];
  /** Runs when it is uncertain whether it was done. Default: forget the person. */
  readonly onDoubt?: () => void;
}

const ME = "/v1/users/me";
const newPassword = ({ unique }: Client) => `Pass-Word-${unique()}`;
const newEmail = ({ unique }: Client) => `${unique()}@example.com`.toLowerCase();

function newName({ random, unique }: Client): string {
  const mark = random.chance(0.04) ? FAILS.always : random.chance(0.05) ? FAILS.twice : "is fine";
  return `Name ${unique()} ${mark}`;
}

function own({ random }: Client, { sessions }: Person, method: Request[0], path: string, json?: object): Request {
  return [method, path, { token: random.pick(sessions).tokens.at(-1), json }];
}

function admin({ rootToken: token }: Client, { id }: Person, method: Request[0], json?: object, suffix = ""): Request {
  return [method, `/v1/admin/users/${id}${suffix}`, { token, json }];
}

/** A PATCH by the admin. */
const patched =
  (json: (person: Person) => object, after: (person: Person) => Partial<Person>, isEnd = true) =>
  (client: Client, person: Person): Change => ({
    request: admin(client, person, "PATCH", json(person)),
    after: after(person),
    ends: isEnd ? person.sessions : [],
  });
const otherRole = ({ role }: Person) => (role === "user" ? "admin" : "user");

export const CHANGES = {
  rename(client, person) {
    const value = newName(client);
    return {
      ...{ request: own(client, person, "PATCH", ME, { full_name: value }), value },
      after: person.fullName === undefined ? {} : { fullName: value },
      // It may take effect later, over newer names; nothing else depends on it.
      onDoubt: () => void (person.fullName = undefined),
    };
  },
  "change email"(client, person) {
    const email = newEmail(client);
    const request = own(client, person, "PATCH", ME, { email });
    return { request, value: email, after: { email, isVerified: false } };
  },
  "change password"(client, person) {
    const password = newPassword(client);
    const json = { current_password: person.password, new_password: password };
    const request = own(client, person, "POST", "/v1/auth/change-password", json);
    return { request, after: { password }, ends: person.sessions };
  },
  "log out everywhere": (client, person) => ({
    ...{ request: own(client, person, "POST", "/v1/auth/logout-all"), ends: person.sessions },
  }),
  "delete oneself": (client, person) => ({
    request: own(client, person, "DELETE", ME, { password: person.password }),
    ...{ after: { isDeleted: true }, ends: person.sessions },
  }),
  "log out"({ random }, person) {
    const session = random.pick(person.sessions);
    const by = random.chance(0.5) ? { token: session.tokens.at(-1) } : { cookie: session.cookie };
    const request: Request = ["POST", "/v1/auth/logout", by];
    return { request, value: session.id, ends: [session], onDoubt: () => dropSession(person, session) };
  },
  /** One session removes another; needs two. */
  "remove a session"({ random }, person) {
    const [session, other] = random.shuffle(person.sessions);
    const request: Request = ["DELETE", `/v1/auth/sessions/${other?.id}`, { token: session?.tokens.at(-1) }];
    return { request, value: other?.id, ends: other ? [other] : [], onDoubt: () => dropSession(person, other) };
  },
  "admin verify": patched(
    ({ isVerified }) => ({ is_verified: !isVerified }),
    ({ isVerified }) => ({ isVerified: !isVerified }),
    false,
  ),
  "admin deactivate": patched(
    () => ({ is_active: false }),
    () => ({ isActive: false }),
  ),
  "admin activate": patched(
    () => ({ is_active: true }),
    () => ({ isActive: true }),
    false,
  ),
  "admin role": patched(
    (person) => ({ role: otherRole(person) }),
    (person) => ({ role: otherRole(person) }),
  ),
  "admin password"(client, person) {
    const password = newPassword(client);
    return { request: admin(client, person, "PATCH", { password }), after: { password }, ends: person.sessions };
  },
  "admin restore": (client, person) => ({
    ...{ request: admin(client, person, "POST", undefined, "/restore"), after: { isDeleted: false } },
  }),
  "admin erase": (client, person) => ({ request: admin(client, person, "DELETE"), ends: person.sessions }),
} satisfies Record<string, (client: Client, person: Person) => Change>;

/** Requests a change, records the outcome, and applies it to what the client knows. */
export async function change(client: Client, person: Person, act: keyof typeof CHANGES): Promise<void> {
  const { request, value, after, ends = [], onDoubt }: Change = CHANGES[act](client, person);
  const reply = await client.ask(act, request);
  const { outcome, at } = reply;
  client.journal.entries.push({ act, userId: person.id, value, outcome });
  if (outcome === "refused") complainAbout(client, act, reply, "nothing forbids it");
  if (outcome === "done") {
    Object.assign(person, after);
    endSessions(client, person, ends, act, at);
  } else onDoubt?.();
  if ((outcome !== "done" && !onDoubt) || act === "admin erase") client.person = undefined;
}

/** Replaces the client's person by a new one: registered, or created by the admin. */
export async function create(client: Client, isByAdmin: boolean): Promise<void> {
  const [email, password] = [newEmail(client), newPassword(client)];
  const fullName = client.random.chance(0.7) ? newName(client) : null;
  const isVerified = isByAdmin && client.random.chance(0.5);
  const fields = { email, password, full_name: fullName };
  const act = isByAdmin ? "admin create" : "register";
  const request: Request = isByAdmin
    ? ["POST", "/v1/admin/users", { token: client.rootToken, json: { ...fields, is_verified: isVerified } }]
    : ["POST", "/v1/users", { json: fields }];
  const reply = await client.ask(act, request);
  const id = reply.outcome === "done" ? String(reply.body["id"]) : undefined;
  client.journal.entries.push({ act, userId: id, value: email, outcome: reply.outcome });
  if (reply.outcome === "refused") complainAbout(client, act, reply, "no other user has this email");
  const flags = { role: "user", isActive: true, isVerified, isDeleted: false } as const;
  client.person = id === undefined ? undefined : { id, email, password, fullName, ...flags, sessions: [] };
}
