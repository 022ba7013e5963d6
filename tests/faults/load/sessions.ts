import { readToken } from "@gatehouse/test-kit/api";
import {
  type Client,
  complain,
  complainAbout,
  dropSession,
  endSessions,
  type Person,
  type Reply,
  type Session,
} from "./client.ts";

// Acts that start, use and rotate one session. An unanswered one makes only that session uncertain.

type Act = (client: Client, person: Person) => Promise<void>;

const refreshWith = (cookie: string) => ["POST", "/v1/auth/refresh", { cookie }] as const;
const isReplay = ({ body }: Reply) => body["type"] === "TokenRevokedError";

function rotate(person: Person, session: Session, { body, cookie = "" }: Reply): Session {
  const tokens = [...session.tokens, String(body["access_token"])];
  const next = { id: session.id, tokens, cookie, rotated: [...session.rotated, session.cookie] };
  person.sessions = person.sessions.map((each) => (each === session ? next : each));
  return next;
}

/** The rejection of a replay says that the session has ended, so the change is done. */
function recordReplay({ journal }: Client, { id: userId }: Person, session: Session, reply: Reply): void {
  const outcome = isReplay(reply) ? "done" : reply.outcome;
  journal.entries.push({ act: "replay", userId, value: session.id, outcome });
}

const logIn: Act = async (client, person) => {
  const form = { username: person.email, password: person.password, device_name: client.name };
  const reply = await client.ask("log in", ["POST", "/v1/auth/login", { form }]);
  const { outcome, body, cookie = "" } = reply;
  const isAllowed = person.isActive && !person.isDeleted;
  const token = String(body["access_token"]);
  const id = outcome === "done" ? readToken(token).sid : undefined;
  client.journal.entries.push({ act: "log in", userId: person.id, value: id, outcome });
  if (id !== undefined && !isAllowed) complainAbout(client, "log in", reply, "this user may not log in");
  if (outcome === "refused" && isAllowed) complainAbout(client, "log in", reply, "the credentials are right");
  if (id !== undefined) person.sessions.push({ id, tokens: [token], cookie, rotated: [] });
};

/** Reads the client's own writes. */
const look: Act = async (client, person) => {
  const { random, journal, name } = client;
  const session = random.pick(person.sessions);
  const path = random.pick(["/v1/users/me", "/v1/auth/me"]);
  const reply = await client.ask("look", ["GET", path, { token: random.pick(session.tokens) }]);
  if (reply.outcome === "refused") {
    complainAbout(client, "look", reply, "the session is alive");
    dropSession(person, session);
  }
  if (reply.outcome !== "done") return;
  const { email, role, isActive, isVerified, fullName } = person;
  const known = { email, role, is_active: isActive, is_verified: isVerified, full_name: fullName };
  for (const [field, value] of Object.entries(known)) {
    const [read, written] = [JSON.stringify(reply.body[field]), JSON.stringify(value)];
    if (value !== undefined && read !== written)
      complain(journal, `${name}: ${person.id} reads ${field} ${read} after ${written} was acknowledged`);
  }
};

const refresh: Act = async (client, person) => {
  const session = client.random.pick(person.sessions);
  const reply = await client.ask("refresh", refreshWith(session.cookie));
  if (reply.outcome === "refused") complainAbout(client, "refresh", reply, "the token is unused and its session alive");
  if (reply.outcome === "done") rotate(person, session, reply);
  else dropSession(person, session);
};

/** Two uses at once: exactly one may rotate; the other is a replay and ends the session. */
const refreshTwice: Act = async (client, person) => {
  const session = client.random.pick(person.sessions);
  const replies = await client.askAll("refresh twice", refreshWith(session.cookie));
  const [winner, second] = replies.filter(({ outcome }) => outcome === "done");
  if (second) complain(client.journal, `${client.name}: one refresh token was rotated twice`);
  const replayed = replies.find(isReplay);
  const unanswered = replies.find(({ outcome }) => outcome === "unanswered");
  const last = replayed ?? unanswered;
  if (last) recordReplay(client, person, session, last);
  if (unanswered) return dropSession(person, session);
  if (winner && replayed) {
    const at = Math.max(...replies.map((reply) => reply.at));
    return endSessions(client, person, [rotate(person, session, winner)], "replay", at);
  }
  for (const reply of replies)
    complainAbout(client, "refresh twice", reply, "one must succeed and the other must be a replay");
  dropSession(person, session);
};

/** Uses a stolen refresh token that was rotated: the session ends. */
const replay: Act = async (client, person) => {
  const session = person.sessions.find(({ rotated }) => rotated.length > 0);
  if (!session) return refresh(client, person);
  const reply = await client.ask("replay", refreshWith(client.random.pick(session.rotated)));
  recordReplay(client, person, session, reply);
  if (isReplay(reply)) return endSessions(client, person, [session], "replay", reply.at);
  if (reply.outcome !== "unanswered") complainAbout(client, "replay", reply, "a replay is a TokenRevokedError");
  dropSession(person, session);
};

export const SESSION_ACTS = { "log in": logIn, look, refresh, "refresh twice": refreshTwice, replay };
