import { type Act, type Client, complain, settle } from "./client.ts";
import { noteChange } from "./journal.ts";
import { endSessions } from "./person.ts";

/** What people do with their own user. */

export const newPassword = (client: Client) => `Pass-Word-${client.unique()}`;
export const newEmail = (client: Client) => `${client.unique()}@example.com`.toLowerCase();

/** Marks in names by which the harness's failing consumer chooses the events that it fails on. */
export const FAILS = { always: "fails always", twice: "fails twice" } as const;

export function newName(client: Client): string {
  const mark = client.random.chance(0.04) ? FAILS.always : client.random.chance(0.05) ? FAILS.twice : "is well";
  return `Name ${client.unique()} ${mark}`;
}

/** Becomes somebody new. */
export async function register(client: Client): Promise<void> {
  const [email, password] = [newEmail(client), newPassword(client)];
  const fullName = client.random.chance(0.7) ? newName(client) : null;
  const answer = await client.ask("register", {
    method: "POST",
    path: "/v1/users",
    json: { email, password, full_name: fullName },
  });
  const id = answer.outcome === "done" ? String(answer.body["id"]) : undefined;
  noteChange(client.journal, "register", answer, { userId: id, value: email });
  if (answer.outcome === "refused") complain(client, "register", answer, "nobody else has this email");
  if (id === undefined) return;
  const flags = { role: "user", isActive: true, isVerified: false, isDeleted: false } as const;
  client.person = { id, email, password, fullName, ...flags, sessions: [] };
}

export const rename: Act = async (client, person) => {
  const name = newName(client);
  const answer = await client.ask("rename", {
    method: "PATCH",
    path: "/v1/users/me",
    token: client.random.pick(person.sessions).tokens.at(-1),
    json: { full_name: name },
  });
  noteChange(client.journal, "rename", answer, { userId: person.id, value: name });
  if (answer.outcome === "refused") complain(client, "rename", answer, "the session is alive");
  if (answer.outcome === "done" && person.fullName !== undefined) person.fullName = name;
  // It may come about later, over names that are given meanwhile; nothing else depends on it.
  if (answer.outcome === "unanswered") person.fullName = undefined;
};

export const changeEmail: Act = async (client, person) => {
  const email = newEmail(client);
  const token = client.random.pick(person.sessions).tokens.at(-1);
  const answer = await client.ask("change email", { method: "PATCH", path: "/v1/users/me", token, json: { email } });
  if (!settle(client, person, "change email", answer, email)) return;
  Object.assign(person, { email, isVerified: false });
};

export const changePassword: Act = async (client, person) => {
  const password = newPassword(client);
  const answer = await client.ask("change password", {
    method: "POST",
    path: "/v1/auth/change-password",
    token: client.random.pick(person.sessions).tokens.at(-1),
    json: { current_password: person.password, new_password: password },
  });
  if (!settle(client, person, "change password", answer)) return;
  person.password = password;
  endSessions(person, person.sessions, { journal: client.journal, act: "change password", at: answer.at });
};

export const logOutEverywhere: Act = async (client, person) => {
  const token = client.random.pick(person.sessions).tokens.at(-1);
  const answer = await client.ask("log out everywhere", { method: "POST", path: "/v1/auth/logout-all", token });
  if (!settle(client, person, "log out everywhere", answer)) return;
  endSessions(person, person.sessions, { journal: client.journal, act: "log out everywhere", at: answer.at });
};

export const deleteOneself: Act = async (client, person) => {
  const answer = await client.ask("delete oneself", {
    method: "DELETE",
    path: "/v1/users/me",
    token: client.random.pick(person.sessions).tokens.at(-1),
    json: { password: person.password },
  });
  if (!settle(client, person, "delete oneself", answer)) return;
  person.isDeleted = true;
  endSessions(person, person.sessions, { journal: client.journal, act: "delete oneself", at: answer.at });
};
