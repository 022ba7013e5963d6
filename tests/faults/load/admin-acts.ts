import { type Act, type Client, complain, settle } from "./client.ts";
import { type ChangeName, noteChange } from "./journal.ts";
import { newEmail, newName, newPassword } from "./own-acts.ts";
import { endSessions, type Person } from "./person.ts";

/** What an admin does with somebody's user. */

/** Becomes somebody whom an admin has made. */
export async function adminCreate(client: Client): Promise<void> {
  const [email, password, fullName] = [newEmail(client), newPassword(client), newName(client)];
  const isVerified = client.random.chance(0.5);
  const answer = await client.ask("admin create", {
    method: "POST",
    path: "/v1/admin/users",
    token: client.rootToken,
    json: { email, password, full_name: fullName, is_verified: isVerified },
  });
  const id = answer.outcome === "done" ? String(answer.body["id"]) : undefined;
  noteChange(client.journal, "admin create", answer, { userId: id, value: email });
  if (answer.outcome === "refused") complain(client, "admin create", answer, "nobody else has this email");
  if (id === undefined) return;
  const flags = { role: "user", isActive: true, isVerified, isDeleted: false } as const;
  client.person = { id, email, password, fullName, ...flags, sessions: [] };
}

/** One PATCH of the account; `after` is what the person is then, `ends` whether it ends the sessions. */
async function patch(
  client: Client,
  person: Person,
  change: { act: ChangeName; json: object; after: Partial<Person>; ends: boolean },
): Promise<void> {
  const { act, json } = change;
  const path = `/v1/admin/users/${person.id}`;
  const answer = await client.ask(act, { method: "PATCH", path, token: client.rootToken, json });
  if (!settle(client, person, act, answer)) return;
  Object.assign(person, change.after);
  if (change.ends) endSessions(person, person.sessions, { journal: client.journal, act, at: answer.at });
}

export const adminVerify: Act = (client, person) => {
  const isVerified = !person.isVerified;
  const json = { is_verified: isVerified };
  return patch(client, person, { act: "admin verify", json, after: { isVerified }, ends: false });
};

export const adminSetActive: Act = (client, person) => {
  const isActive = !person.isActive;
  const act = isActive ? "admin activate" : "admin deactivate";
  return patch(client, person, { act, json: { is_active: isActive }, after: { isActive }, ends: !isActive });
};

export const adminRole: Act = (client, person) => {
  const role = person.role === "user" ? "admin" : "user";
  return patch(client, person, { act: "admin role", json: { role }, after: { role }, ends: true });
};

export const adminPassword: Act = (client, person) => {
  const password = newPassword(client);
  return patch(client, person, { act: "admin password", json: { password }, after: { password }, ends: true });
};

export const adminRestore: Act = async (client, person) => {
  const path = `/v1/admin/users/${person.id}/restore`;
  const answer = await client.ask("admin restore", { method: "POST", path, token: client.rootToken });
  if (settle(client, person, "admin restore", answer)) person.isDeleted = false;
};

export const adminErase: Act = async (client, person) => {
  const path = `/v1/admin/users/${person.id}`;
  const answer = await client.ask("admin erase", { method: "DELETE", path, token: client.rootToken });
  if (!settle(client, person, "admin erase", answer)) return;
  endSessions(person, person.sessions, { journal: client.journal, act: "admin erase", at: answer.at });
  client.person = undefined;
};
