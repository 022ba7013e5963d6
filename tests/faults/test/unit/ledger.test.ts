import { createEvent } from "@gatehouse/messaging";
import { STREAMS } from "@gatehouse/contracts";
import { describe, expect, it } from "vitest";
import { COLLECTORS, THROWER } from "../../consumers.ts";
import { createLedger, printLedger, type RunRecord } from "../../ledger/ledger.ts";
import type { Evidence, Message, OutboxRow } from "../../ledger/evidence.ts";

/** A run in which one user registered, changed the name, logged in and out. Tests change it. */
function correctRun(): Run {
  const id = "01930000-0000-7000-8000-000000000001";
  const session = "01930000-0000-7000-8000-000000000002";
  const created_at = new Date(1_000);
  const facts = { email: "ada@example.com", role: "user" as const, is_active: true, is_verified: false };
  const about = { subject: id, source: "auth" as const, version: 1 };
  const auth = [
    createEvent({ ...about, type: "auth.account.created", data: { user_id: id, full_name: null, ...facts } }),
    createEvent({
      ...about,
      type: "auth.session.started",
      data: { user_id: id, session_id: session, device_name: null, ip_address: null },
    }),
    createEvent({
      ...about,
      type: "auth.session.revoked",
      data: { user_id: id, session_id: session, reason: "logout" },
    }),
  ];
  const user = [
    createEvent({
      subject: id,
      source: "user",
      version: 1,
      type: "user.registered",
      data: { user_id: id, email: facts.email, full_name: null },
    }),
    createEvent({
      subject: id,
      source: "user",
      version: 2,
      type: "user.profile.updated",
      data: { user_id: id, full_name: "Ada", changed: ["full_name"] },
    }),
  ];
  const rows = (events: typeof auth | typeof user): OutboxRow[] =>
    events.map((event) => ({ id: event.id, published: true, event }));
  const stored = (stream: string, events: typeof auth | typeof user): Message[] =>
    events.map((event, index) => ({ stream, sequence: index + 1, subject: event.type, messageId: event.id, event }));
  const applied = (consumer: string, events: typeof auth | typeof user) =>
    events.map((event) => ({ consumer, event_id: event.id }));
  const done = { userId: id, outcome: "done" as const, status: 200 };
  return {
    auth: {
      accounts: [{ id, ...facts, full_name: "Ada", version: 1, created_at, deleted_at: null }],
      tombstones: [],
      sessions: [{ id: session, user_id: id, ended: true, reason: "logout" }],
      tokens: [{ id: "t1", session_id: session, revoked: false, replaced_by: null }],
      outbox: rows(auth),
    },
    user: {
      users: [
        {
          id,
          ...facts,
          full_name: "Ada",
          account_version: 1,
          version: 2,
          is_registered: true,
          created_at,
          deleted_at: null,
        },
      ],
      tombstones: [],
      outbox: rows(user),
    },
    messages: [...stored(STREAMS.auth.name, auth), ...stored(STREAMS.user.name, user)],
    letters: [],
    applied: [...applied(COLLECTORS.auth, auth), ...applied(COLLECTORS.user, user), ...applied(THROWER, user.slice(1))],
    journal: [
      { ...done, act: "register" as const, value: facts.email },
      { ...done, act: "rename" as const, value: "Ada" },
      { ...done, act: "log in" as const, value: session },
      { ...done, act: "log out" as const, value: session },
    ],
    repeated: new Set<string>(),
    malformed: new Set<string>(),
  };
}

const RECORD: RunRecord = {
  seed: "a",
  seconds: 1,
  answers: { "200": 4 },
  faults: [{ name: "kill -9 auth", recoveredMs: 7 }],
  untried: [],
  drainedMs: 5,
  probed: 1,
  checked: 1,
  rootId: "root",
  complaints: [],
  forbidden: [],
  stuck: [],
};

/** Evidence that a test can change. */
type Open<T> =
  T extends ReadonlySet<infer I>
    ? Set<I>
    : T extends Date
      ? T
      : T extends readonly (infer I)[]
        ? Open<I>[]
        : T extends object
          ? { -readonly [K in keyof T]: Open<T[K]> }
          : T;
type Run = Open<Evidence>;

const wrongIn = (run: Run) =>
  createLedger(run, RECORD)
    .checks.filter(({ wrong }) => wrong.length > 0)
    .map(({ name }) => name.split(":")[0]);

describe("ledger", () => {
  it("passes a correct run and counts every event on its way", () => {
    const ledger = createLedger(correctRun(), RECORD);
    expect(ledger.checks.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    expect(ledger.passed).toBe(true);
    expect(ledger.flows.map(({ what, auth, user }) => [what.trim(), auth, user])).toEqual([
      ["changes in the tables", 3, 2],
      ["events written", 3, 2],
      ["events published", 3, 2],
      ["messages stored", 3, 2],
      ["repeated by the relay", 0, 0],
      ["repeated by the harness", 0, 0],
      ["malformed, by the harness", 0, 0],
      ["events applied", 3, 2],
    ]);
    expect(printLedger(ledger)).toContain("nothing lost, nothing invented");
  });

  const breakages: [what: string, damage: (run: Run) => unknown, wrong: string[]][] = [
    ["an event never reached the stream", (run) => run.messages.pop(), ["lost"]],
    ["a row was not published", (run) => Object.assign(run.user.outbox[0]!, { published: false }), ["lost"]],
    ["an event is in the stream twice", (run) => run.messages.push(run.messages[0]!), ["repeated"]],
    ["the stream has an event that was never written", inventEvent, ["invented"]],
    ["a consumer applied an event twice", (run) => run.applied.push(run.applied[0]!), ["applied"]],
    ["a consumer never applied an event", (run) => run.applied.shift(), ["applied"]],
    ["a valid event is a dead letter", buryValidEvent, ["dead letters"]],
    ["an acknowledged change was not written", acknowledgeMore, ["answers"]],
    ["a refused change was written", (run) => Object.assign(run.journal[1]!, { outcome: "refused" }), ["answers"]],
    ["a change was written without a request", (run) => run.journal.splice(1, 1), ["answers"]],
    [
      "a row changed without an event",
      (run) => (run.auth.accounts[0]!.email = "eve@example.com"),
      ["accounts are what their events say", "users equal accounts, row by row"],
    ],
    ["a version has no event", (run) => (run.user.users[0]!.version = 3), ["profiles are what their events say"]],
    [
      "a session ended without its event",
      (run) => (run.auth.sessions[0]!.reason = "expired"),
      ["sessions ended as they must"],
    ],
    ["a refresh token was rotated twice", rotateTwice, ["no refresh token rotated twice"]],
    [
      "the copy of the account is stale",
      (run) => (run.user.users[0]!.account_version = 0),
      ["users equal accounts, row by row"],
    ],
    [
      "the copy of the name is stale",
      (run) => (run.auth.accounts[0]!.full_name = null),
      ["accounts show their users' names, row by row"],
    ],
  ];
  it.each(breakages)("fails when %s", (_what, damage, wrong) => {
    const run = correctRun();
    damage(run);
    expect(wrongIn(run)).toEqual(wrong);
  });

  it("passes with an unanswered change, written or not", () => {
    const carriedOut = correctRun();
    Object.assign(carriedOut.journal[1]!, { outcome: "unanswered" });
    const notCarriedOut = correctRun();
    notCarriedOut.journal.push({ ...notCarriedOut.journal[1]!, value: "Grace", outcome: "unanswered" });
    expect([wrongIn(carriedOut), wrongIn(notCarriedOut)]).toEqual([[], []]);
  });

  it("accepts the messages of the harness and expects dead letters for the malformed ones", () => {
    const run = correctRun();
    run.repeated.add("again");
    run.messages.push({ ...run.messages[0]!, sequence: 10, messageId: "again" });
    run.malformed.add("broken");
    const broken = { stream: STREAMS.auth.name, sequence: 11, subject: "auth.account.updated", messageId: "broken" };
    run.messages.push({ ...broken, event: undefined });
    expect(wrongIn(run)).toEqual(["dead letters"]);
    for (const consumer of [COLLECTORS.auth, "user"]) run.letters.push({ ...broken, consumer, error: "" });
    expect(wrongIn(run)).toEqual([]);
  });

  it("prints the failed check and how to repeat the run", () => {
    const run = correctRun();
    run.messages.pop();
    const text = printLedger(createLedger(run, RECORD));
    expect(text).toContain("user.profile.updated");
    expect(text).toContain("FAULTS_SEED=a pnpm test:faults");
  });
});

function inventEvent(run: Run) {
  const event = { ...run.messages[0]!.event!, id: "nobody" };
  run.messages.push({ ...run.messages[0]!, sequence: 9, messageId: "nobody", event });
}

function buryValidEvent(run: Run) {
  const { stream, sequence, subject } = run.messages[0]!;
  run.letters.push({ consumer: "user", stream, sequence, subject, error: "" });
}

function acknowledgeMore(run: Run) {
  run.journal.push({ ...run.journal[1]!, value: "Grace" });
}

function rotateTwice(run: Run) {
  const token = run.auth.tokens[0]!;
  run.auth.tokens.push(
    { ...token, id: "t2", revoked: true, replaced_by: "t1" },
    { ...token, id: "t3", revoked: true, replaced_by: "t1" },
  );
}
