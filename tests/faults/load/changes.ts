import {
  type Act,
  type ChangeName,
  type Client,
  complainAbout,
  dropSession,
  endSessions,
  FAILS,
  type Person,
  record,
  type Request,
  type Session,
} from "./client.ts";

/** A change that nothing known to the client forbids. */
interface Change {
  readonly request: Request;
  readonly value?: string;
  /** The person's state when it is done. */
  readonly after?: Partial<Person>;
  /** The sessions that it ends. */
  readonly ends?: readonly Session[];
  /** Runs when it is uncertain whether the change was done. Default: forget the person. */
  readonly onDoubt?: () => void;
}

/** Requests a change, records the outcome, and applies it to what the client knows. */
async function change(client: Client, person: Person, act: ChangeName, of: Change): Promise<void> {
  const { request, value, after, ends = [], onDoubt = () => void (client.person = undefined) } = of;
  const reply = await client.ask(act, request);
  record(client, act, reply, person.id, value);
  if (reply.outcome === "refused") complainAbout(client, act, reply, "nothing forbids it");
  if (reply.outcome !== "done") return onDoubt();
  Object.assign(person, after);
  endSessions(client, person, ends, act, reply.at);
}

const newPassword = (client: Client) => `Pass-Word-${client.unique()}`;
const newEmail = (client: Client) => `${client.unique()}@example.com`.toLowerCase();
const anyToken = ({ random }: Client, { sessions }: Person) => random.pick(sessions).tokens.at(-1);

function newName({ random, unique }: Client): string {
  const mark = random.chance(0.04) ? FAILS.always : random.chance(0.05) ? FAILS.twice : "is fine";
  return `Name ${unique()} ${mark}`;
}

/** Replaces the client's person by a new one: registered, or created by the admin. */
async function create(client: Client, isByAdmin: boolean): Promise<void> {
  const [email, password] = [newEmail(client), newPassword(client)];
  const fullName = isByAdmin || client.random.chance(0.7) ? newName(client) : null;
  const isVerified = isByAdmin && client.random.chance(0.5);
  const fields = { email, password, full_name: fullName };
  const act = isByAdmin ? "admin create" : "register";
  const request: Request = isByAdmin
    ? ["POST", "/v1/admin/users", { token: client.rootToken, json: { ...fields, is_verified: isVerified } }]
    : ["POST", "/v1/users", { json: fields }];
  const reply = await client.ask(act, request);
  const id = reply.outcome === "done" ? String(reply.body["id"]) : undefined;
  record(client, act, reply, id, email);
  if (reply.outcome === "refused") complainAbout(client, act, reply, "no other user has this email");
  const flags = { role: "user", isActive: true, isVerified, isDeleted: false } as const;
  client.person = id === undefined ? undefined : { id, email, password, fullName, ...flags, sessions: [] };
}

export const register = (client: Client) => create(client, false);
export const adminCreate = (client: Client) => create(client, true);

export const rename: Act = (client, person) => {
  const name = newName(client);
  return change(client, person, "rename", {
    request: ["PATCH", "/v1/users/me", { token: anyToken(client, person), json: { full_name: name } }],
    value: name,
    after: person.fullName === undefined ? {} : { fullName: name },
    // It may take effect later, over newer names; nothing else depends on it.
    onDoubt: () => void (person.fullName = undefined),
  });
};

export const changeEmail: Act = (client, person) => {
  const email = newEmail(client);
  const request: Request = ["PATCH", "/v1/users/me", { token: anyToken(client, person), json: { email } }];
  return change(client, person, "change email", { request, value: email, after: { email, isVerified: false } });
};

export const changePassword: Act = (client, person) => {
  const password = newPassword(client);
  const json = { current_password: person.password, new_password: password };
  return change(client, person, "change password", {
    request: ["POST", "/v1/auth/change-password", { token: anyToken(client, person), json }],
    after: { password },
    ends: person.sessions,
  });
};

export const logOutEverywhere: Act = (client, person) =>
  change(client, person, "log out everywhere", {
    request: ["POST", "/v1/auth/logout-all", { token: anyToken(client, person) }],
    ends: person.sessions,
  });

export const deleteOneself: Act = (client, person) =>
  change(client, person, "delete oneself", {
    request: ["DELETE", "/v1/users/me", { token: anyToken(client, person), json: { password: person.password } }],
    after: { isDeleted: true },
    ends: person.sessions,
  });

export const logOut: Act = (client, person) => {
  const session = client.random.pick(person.sessions);
  const by = client.random.chance(0.5) ? { token: session.tokens.at(-1) } : { cookie: session.cookie };
  return change(client, person, "log out", {
    ...{ request: ["POST", "/v1/auth/logout", by], value: session.id, ends: [session] },
    onDoubt: () => dropSession(person, session),
  });
};

/** One session removes another; needs two. */
export const removeSession: Act = async (client, person) => {
  const [session, other] = client.random.shuffle(person.sessions);
  if (!session || !other) return;
  await change(client, person, "remove a session", {
    request: ["DELETE", `/v1/auth/sessions/${other.id}`, { token: session.tokens.at(-1) }],
    ...{ value: other.id, ends: [other] },
    onDoubt: () => dropSession(person, other),
  });
};

/** A PATCH by the admin. */
function patch(client: Client, person: Person, act: ChangeName, json: object, after: Partial<Person>, isEnd: boolean) {
  const request: Request = ["PATCH", `/v1/admin/users/${person.id}`, { token: client.rootToken, json }];
  return change(client, person, act, { request, after, ends: isEnd ? person.sessions : [] });
}

export const adminVerify: Act = (client, person) => {
  const isVerified = !person.isVerified;
  return patch(client, person, "admin verify", { is_verified: isVerified }, { isVerified }, false);
};

export const adminSetActive: Act = (client, person) => {
  const isActive = !person.isActive;
  const act = isActive ? "admin activate" : "admin deactivate";
  return patch(client, person, act, { is_active: isActive }, { isActive }, !isActive);
};

export const adminRole: Act = (client, person) => {
  const role = person.role === "user" ? "admin" : "user";
  return patch(client, person, "admin role", { role }, { role }, true);
};

export const adminPassword: Act = (client, person) => {
  const password = newPassword(client);
  return patch(client, person, "admin password", { password }, { password }, true);
};

export const adminRestore: Act = (client, person) => {
  const request: Request = ["POST", `/v1/admin/users/${person.id}/restore`, { token: client.rootToken }];
  return change(client, person, "admin restore", { request, after: { isDeleted: false } });
};

export const adminErase: Act = async (client, person) => {
  const request: Request = ["DELETE", `/v1/admin/users/${person.id}`, { token: client.rootToken }];
  await change(client, person, "admin erase", { request, ends: person.sessions });
  client.person = undefined;
};
