import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEventsBench, EMAIL, type EventsBench, registration } from "../events-bench.ts";
import { runOps, startOps } from "../ops-command.ts";

let bench: EventsBench;
beforeEach(async () => {
  bench = await createEventsBench();
});
afterEach(() => bench.close());

const ops = (...args: string[]) => runOps({ NATS_URL: bench.url }, ["events", ...args]);
const json = async (...args: string[]) => {
  const { code, output } = await ops(...args, "--json");
  return { code, ...(JSON.parse(output) as Record<string, unknown>) } as Record<string, unknown>;
};

describe("events replay", () => {
  it("returns a listed letter to its consumer under its event id and deletes it", async () => {
    const mailer = bench.mailer();
    const event = registration();
    await bench.publish(event);
    const [letter] = await bench.lettersOnce(1);

    expect(await json("dead")).toEqual({
      code: 0,
      dead_letters: [
        {
          letter: letter!.number,
          consumer: "mailer",
          type: "user.registered",
          event_id: event.id,
          user_id: event.subject,
          version: 1,
          actor: null,
          correlation_id: event.correlationid ?? null,
          stream: "USER_EVENTS",
          sequence: 1,
          error: "TypeError",
          attempts: 6,
          replays: 0,
          event_at: event.time,
          died_at: letter!.diedAt.toISOString(),
          age_seconds: expect.any(Number),
        },
      ],
    });

    mailer.isMended = true;
    const counts = { chosen: 1, consumers: { mailer: 1 }, gone: 0, refused: [] };
    const dry = { code: 0, dry_run: true, ...counts, replayed: 0, left: 1 };
    expect(await json("replay", "--consumer", "mailer", "--dry-run")).toEqual(dry);
    expect([await bench.letters(), mailer.handled]).toMatchObject([[{ number: letter!.number }], []]);

    const done = { code: 0, dry_run: false, ...counts, replayed: 1, left: 0 };
    expect(await json("replay", "--consumer", "mailer", "--yes")).toEqual(done);
    await expect.poll(() => mailer.handled).toEqual([event.id]);
    expect(await json("dead")).toEqual({ code: 0, dead_letters: [] });
    expect(await ops("replay", "--all", "--yes")).toEqual({ code: 0, output: "replayed 0", errors: "" });
    expect(await ops("replay", "--id", event.id, "--yes")).toMatchObject({
      code: 1,
      output: "",
      errors: expect.stringMatching(/^No such dead letter\. List them with `pnpm ops events dead`/),
    });
    expect(mailer.handled).toEqual([event.id]);
  });

  it("leads to a new letter when the cause persists", async () => {
    bench.mailer();
    await bench.publish(registration());
    const [letter] = await bench.lettersOnce(1);
    expect(await ops("replay", "--id", String(letter!.number), "--yes")).toMatchObject({
      code: 0,
      output: "replayed 1",
    });
    await expect.poll(async () => (await bench.letters())[0]?.replays).toBe(1);
    expect((await ops("dead")).output).toContain("replayed before: 1  TypeError");
  });

  it("continues after a killed replay without loss or duplicates", async () => {
    const mailer = bench.mailer();
    const events = Array.from({ length: 40 }, registration);
    await bench.publish(...events);
    await bench.lettersOnce(40);
    mailer.isMended = true;
    const run = startOps({ NATS_URL: bench.url }, "events", "replay", "--all", "--yes", "--rate", "100");
    await expect.poll(() => mailer.handled.length).toBeGreaterThan(2);
    run.kill("SIGKILL");
    expect((await run.ended()).code).toBe("SIGKILL");
    const left = (await bench.letters()).length;
    expect(left).toBeGreaterThan(0);

    expect(await json("replay", "--all", "--yes")).toMatchObject({ code: 0, replayed: left, left: 0 });
    await expect.poll(() => mailer.handled.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
    expect(await bench.letters()).toEqual([]);
  });

  it("stops at Ctrl-C and prints how many letters are left", async () => {
    const mailer = bench.mailer();
    await bench.publish(...Array.from({ length: 5 }, registration));
    await bench.lettersOnce(5);
    mailer.isMended = true;
    const run = startOps({ NATS_URL: bench.url }, "events", "replay", "--all", "--yes", "--rate", "1");
    await expect.poll(() => mailer.handled.length).toBeGreaterThan(0);
    run.kill("SIGINT");
    const { code, output } = await run.ended();
    const [, replayed, left] = /^replayed (\d), (\d) are left$/.exec(output) ?? [];
    expect([code, Number(replayed) + Number(left)]).toEqual([130, 5]);
    expect(await bench.letters()).toHaveLength(Number(left));
  });
});

describe("events replay rejects", () => {
  it("a letter whose consumer no longer exists, and replays the others", async () => {
    const mailer = bench.mailer();
    await bench.publish(registration());
    await bench.lettersOnce(1);
    await bench.publishText("dead.removed.user.registered", JSON.stringify(registration()));
    mailer.isMended = true;
    const { code, output } = await ops("replay", "--type", "user.*", "--yes");
    expect([code, output]).toEqual([
      1,
      "#2 of removed stays a dead letter: USER_EVENTS has no consumer removed: start its service\nreplayed 1",
    ]);
    expect(await bench.letters()).toMatchObject([{ consumer: "removed" }]);
  });

  it.each([
    ["no filter", ["replay", "--yes"], "Set a filter"],
    ["all of some", ["replay", "--all", "--user", "one"], "Use either --all or filters"],
    ["no number", ["replay", "--all", "--rate", "0"], "whole number"],
    ["no age", ["replay", "--since", "yesterday"], "Use an age"],
    ["no past", ["dead", "--since", "2999-01-01"], "Use an age"],
    ["no type", ["replay", "--type", "auth..x"], "Use a type"],
    ["no consumer", ["dead", "--consumer", "a.b"], "Use the name of a durable consumer"],
    ["no such option", ["dead", "--colour"], "unknown option"],
    ["no such stream", ["tail", "--stream", "EVENTS"], "AUTH_EVENTS, USER_EVENTS, DEAD_LETTERS"],
    ["no such command", ["bury"], "unknown command"],
  ])("%s", async (_what, args, message) => {
    const { code, output, errors } = await ops(...args);
    expect([code, output, errors]).toEqual([1, "", expect.stringContaining(message)]);
  });

  it("to start without a terminal or without the confirmation", async () => {
    const mailer = bench.mailer();
    await bench.publish(registration());
    await bench.lettersOnce(1);
    expect(await ops("replay", "--all")).toMatchObject({
      code: 1,
      output: "",
      errors: expect.stringContaining("Use --yes"),
    });
    const asked = (typed: string) => runOps({ NATS_URL: bench.url }, ["events", "replay", "--all"], { typed });
    for (const no of ["", "no\n", "\n"]) {
      const { code, output, errors } = await asked(no);
      expect([code, output]).toEqual([1, "replayed 0, 1 are left"]);
      expect(errors).toContain("Replay 1 dead letters (1 of mailer)? [y/N]");
    }
    mailer.isMended = true;
    const { code, output, errors } = await asked("y\n");
    expect([code, output]).toEqual([0, "replayed 1"]);
    expect(errors).toContain(`[${"#".repeat(30)}] 1/1`);
  });
});

describe("events dead", () => {
  beforeEach(async () => {
    bench.mailer();
    await bench.publish(registration(), registration());
    await bench.lettersOnce(2);
    await bench.publishText("user.registered", `{"email":"${EMAIL}"}`);
    await bench.lettersOnce(3);
  });

  it("prints personal data only with --data", async () => {
    const { code, output } = await ops("dead");
    const lines = output.split("\n");
    expect([code, lines.length]).toEqual([0, 3]);
    expect(lines[0]).toMatch(
      /^#1 {2}\S+ \(\d+s ago\) {2}mailer {2}user\.registered {2}user \S+ {2}event \S+ {2}6 attempts {2}TypeError$/,
    );
    expect(lines[2]).toMatch(/not an event {2}1 attempt {2}EventFormatError: envelope: /);
    for (const args of [[], ["--json"], ["--summary"], ["--summary", "--json"]])
      expect((await ops("dead", ...args)).output).not.toMatch(/ada|lovelace/i);
    for (const args of [["--data"], ["--data", "--json"]])
      expect((await ops("dead", ...args)).output.split(EMAIL)).toHaveLength(4);
  });

  it("counts letters by consumer and error, the most frequent first", async () => {
    const { groups, total } = await json("dead", "--summary");
    expect([total, groups]).toMatchObject([
      3,
      [
        { consumer: "mailer", error: "TypeError", count: 2, oldest: expect.any(String), newest: expect.any(String) },
        { consumer: "mailer", error: expect.stringContaining("EventFormatError"), count: 1 },
      ],
    ]);
    expect((await ops("dead", "--summary")).output).toMatch(
      /^2 {2}mailer {2}TypeError {2}from \d+s to \d+s ago\n.*\n3 in all$/,
    );
  });

  it("takes the filters of replay", async () => {
    const count = async (...args: string[]) => ((await json("dead", ...args))["dead_letters"] as unknown[]).length;
    expect(await count("--error", "eventformat")).toBe(1);
    expect(await count("--since", "1h", "--consumer", "mailer", "--type", "user.>")).toBe(3);
    expect(await count("--since", "2000-01-01")).toBe(3);
    expect(await count("--user", (await bench.letters())[1]!.envelope!.subject)).toBe(1);
    expect(await count("--type", "auth.>")).toBe(0);
    expect(await ops("dead", "--consumer", "nobody")).toEqual({ code: 0, output: "no dead letters", errors: "" });
    const dry = await json("replay", "--error", "eventformat", "--dry-run");
    expect(dry).toMatchObject({ chosen: 1, consumers: { mailer: 1 } });
  });
});
