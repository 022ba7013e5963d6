import { decodeJwt } from "jose";
import type { Answer } from "./call.ts";
import { type Act, type Client, complain } from "./client.ts";
import { noteChange, noteComplaint } from "./journal.ts";
import { dropSession, endSessions, type Person, type Session } from "./person.ts";

/** The acts that begin, use and end single sessions. What is not answered leaves only that session in doubt. */

export const logIn: Act = async (client, person) => {
  const answer = await client.ask("log in", {
    method: "POST",
    path: "/v1/auth/login",
    form: { username: person.email, password: person.password, device_name: client.name },
  });
  const mayEnter = person.isActive && !person.isDeleted;
  const session = answer.outcome === "done" ? sessionOf(answer.body, answer.cookie) : undefined;
  noteChange(client.journal, "log in", answer, { userId: person.id, value: session?.id });
  if (answer.outcome === "done" && !mayEnter) complain(client, "log in", answer, "this user may not enter");
  if (answer.outcome === "refused" && mayEnter) complain(client, "log in", answer, "the credentials are right");
  if (session) person.sessions.push(session);
};

function sessionOf(body: Readonly<Record<string, unknown>>, cookie = ""): Session {
  const token = String(body["access_token"]);
  return { id: String(decodeJwt(token)["sid"]), tokens: [token], cookie, spent: [] };
}

/** Reads what the client itself has written. */
export const look: Act = async (client, person) => {
  const session = client.random.pick(person.sessions);
  const path = client.random.pick(["/v1/users/me", "/v1/auth/me"]);
  const answer = await client.ask("look", { method: "GET", path, token: client.random.pick(session.tokens) });
  if (answer.outcome === "refused") {
    complain(client, "look", answer, "the session is alive");
    dropSession(person, session);
  }
  if (answer.outcome === "done") compare(client, person, answer.body);
};

function compare(client: Client, person: Person, body: Readonly<Record<string, unknown>>): void {
  const known = { email: person.email, role: person.role, is_active: person.isActive, is_verified: person.isVerified };
  const names = person.fullName === undefined ? {} : { full_name: person.fullName };
  for (const [field, value] of Object.entries({ ...known, ...names }))
    if (body[field] !== value)
      noteComplaint(
        client.journal,
        `${client.name}: ${person.id} reads ${field} ${JSON.stringify(body[field])} after ${JSON.stringify(value)} was acknowledged`,
      );
}

export const refresh: Act = async (client, person) => {
  const session = client.random.pick(person.sessions);
  const answer = await client.ask("refresh", { method: "POST", path: "/v1/auth/refresh", cookie: session.cookie });
  if (answer.outcome === "refused") complain(client, "refresh", answer, "the session is alive and its token unused");
  if (answer.outcome === "done") replace(person, session, rotated(session, answer.body, answer.cookie));
  else dropSession(person, session);
};

function rotated(session: Session, body: Readonly<Record<string, unknown>>, cookie = ""): Session {
  const tokens = [...session.tokens, String(body["access_token"])];
  return { id: session.id, tokens, cookie, spent: [...session.spent, session.cookie] };
}

function replace(person: Person, session: Session, by: Session): void {
  person.sessions = person.sessions.map((each) => (each === session ? by : each));
}

/** Two tabs at once: exactly one may rotate, and the other, being a replay, ends the session. */
export const refreshTwice: Act = async (client, person) => {
  const session = client.random.pick(person.sessions);
  const request = { method: "POST", path: "/v1/auth/refresh", cookie: session.cookie } as const;
  const answers = await client.askAll("refresh twice", request);
  const done = answers.filter(({ outcome }) => outcome === "done");
  if (done.length > 1)
    noteComplaint(client.journal, `${client.name}: one refresh token was rotated ${done.length} times`);
  const replayed = answers.find(({ body }) => body["type"] === "TokenRevokedError");
  const unanswered = answers.find(({ outcome }) => outcome === "unanswered");
  const last = replayed ? { ...replayed, outcome: "done" as const } : unanswered;
  if (last) noteChange(client.journal, "replay", last, { userId: person.id, value: session.id });
  const [winner] = done;
  if (unanswered) return dropSession(person, session);
  if (!winner || !replayed) {
    complain(client, "refresh twice", answers[0] as Answer, "one of the two has to be served, the other is a replay");
    return dropSession(person, session);
  }
  const whole = rotated(session, winner.body, winner.cookie);
  replace(person, session, whole);
  endSessions(person, [whole], {
    journal: client.journal,
    act: "replay",
    at: Math.max(...answers.map((answer) => answer.at)),
  });
};

/** Somebody who has stolen a token that was used since: the session ends. */
export const replay: Act = async (client, person) => {
  const session = person.sessions.find(({ spent }) => spent.length > 0);
  if (!session) return refresh(client, person);
  const cookie = client.random.pick(session.spent);
  const answer = await client.ask("replay", { method: "POST", path: "/v1/auth/refresh", cookie });
  // What is refused here is done: the refusal says that the session has ended.
  const ended = answer.body["type"] === "TokenRevokedError";
  const what = ended ? { ...answer, outcome: "done" as const } : answer;
  noteChange(client.journal, "replay", what, { userId: person.id, value: session.id });
  if (answer.outcome === "done") complain(client, "replay", answer, "the token was rotated before");
  else if (!ended && answer.outcome === "refused")
    complain(client, "replay", answer, "a replay is a TokenRevokedError");
  if (ended) endSessions(person, [session], { journal: client.journal, act: "replay", at: answer.at });
  else dropSession(person, session);
};

export const logOut: Act = async (client, person) => {
  const session = client.random.pick(person.sessions);
  const by = client.random.chance(0.5) ? { token: session.tokens.at(-1) } : { cookie: session.cookie };
  const answer = await client.ask("log out", { method: "POST", path: "/v1/auth/logout", ...by });
  noteChange(client.journal, "log out", answer, { userId: person.id, value: session.id });
  if (answer.outcome === "refused") complain(client, "log out", answer, "the session is alive");
  if (answer.outcome === "done")
    endSessions(person, [session], { journal: client.journal, act: "log out", at: answer.at });
  else dropSession(person, session);
};

/** One session removes another of the same user. */
export const removeSession: Act = async (client, person) => {
  const [session, other] = client.random.shuffle(person.sessions);
  if (!session || !other) return logIn(client, person);
  const path = `/v1/auth/sessions/${other.id}`;
  const answer = await client.ask("remove a session", { method: "DELETE", path, token: session.tokens.at(-1) });
  noteChange(client.journal, "remove a session", answer, { userId: person.id, value: other.id });
  if (answer.outcome === "refused") complain(client, "remove a session", answer, "both sessions are alive");
  if (answer.outcome === "done")
    endSessions(person, [other], { journal: client.journal, act: "remove a session", at: answer.at });
  else dropSession(person, other);
};
