import { createLockedBus } from "@gatehouse/test-kit";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { announceAddresses } from "../../start/addresses.ts";
import { createEventsBench, EMAIL, type EventsBench, registration, sessionStart } from "../events-bench.ts";
import { runOps, startOps } from "../ops-command.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

const first = sessionStart("request-1");
const second = registration();
const third = sessionStart("request-2");

let bench: EventsBench;
beforeAll(async () => {
  bench = await createEventsBench();
  for (const event of [first, second, third]) {
    await bench.publish(event);
    // Times are told to the millisecond, and no two of these shall be the same.
    await sleep(2);
  }
  await bench.publishText("auth.watermark", "{}");
  await bench.publishText("dead.mailer.user.registered", JSON.stringify(second));
});
afterAll(() => bench.close());

const tail = (...args: string[]) => runOps({ NATS_URL: bench.url }, ["events", "tail", ...args]);
const types = async (...args: string[]) => {
  const { code, output } = await tail("--no-follow", "--json", ...args);
  expect(code).toBe(0);
  return output === "" ? [] : output.split("\n").map((line) => (JSON.parse(line) as { type: string }).type);
};

describe("events tail --no-follow", () => {
  it("prints the events of all streams in the order of time, one a line", async () => {
    const { code, output, errors } = await tail("--no-follow");
    expect([code, errors]).toEqual([0, ""]);
    const lines = output.split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe(
      `${first.time}  auth.session.started      user ${first.subject}  v3  actor ${first.actor}  correlation request-1`,
    );
    expect(lines[1]).toContain(`user.registered           user ${second.subject}  v1`);
    expect(lines[3]).toContain("dead letter #1 of mailer: no error named");
  });

  it("prints CloudEvents without their data", async () => {
    const { output } = await tail("--no-follow", "--json", "--correlation", "request-1");
    const { data: _data, ...envelope } = first;
    expect(JSON.parse(output)).toEqual(envelope);
    const [letter] = (await tail("--no-follow", "--json", "--stream", "DEAD_LETTERS")).output.split("\n");
    expect(JSON.parse(letter ?? "")).toMatchObject({ id: second.id, deadletter: 1, deadconsumer: "mailer" });
  });

  it("prints personal data only with --data", async () => {
    for (const args of [[], ["--json"]])
      expect((await tail("--no-follow", ...args)).output).not.toMatch(/\bada\b|192\.0/i);
    for (const args of [["--data"], ["--data", "--json"]]) {
      const { output } = await tail("--no-follow", ...args);
      expect(output).toContain(EMAIL);
      expect(output).toContain("192.0.2.7");
    }
  });

  it.each<[string[], string[]]>([
    [
      ["--type", "auth.>"],
      ["auth.session.started", "auth.session.started"],
    ],
    [
      ["--type", "*.registered"],
      ["user.registered", "user.registered"],
    ],
    [
      ["--type", ">"],
      ["auth.session.started", "user.registered", "auth.session.started", "user.registered"],
    ],
    [["--type", "auth.watermark"], ["auth.watermark"]],
    [["--type", "nothing.of.ours"], []],
    [["--stream", "USER_EVENTS"], ["user.registered"]],
    [["--stream", "AUTH_EVENTS", "--type", "user.registered"], []],
    [
      ["--user", second.subject],
      ["user.registered", "user.registered"],
    ],
    [["--correlation", "request-2"], ["auth.session.started"]],
    [
      ["--limit", "2"],
      ["auth.session.started", "user.registered"],
    ],
    [["--since", "1h", "--limit", "1"], ["auth.session.started"]],
    [["--since", new Date(Date.now() - 1).toISOString(), "--user", "nobody"], []],
  ])("is narrowed down by %j", async (args, expected) => {
    expect(await types(...args)).toEqual(expected);
  });
});

describe("events tail", () => {
  it("prints events until Ctrl-C and exits with 0", async () => {
    const run = startOps(
      { NATS_URL: bench.url },
      "events",
      "tail",
      "--since",
      "1h",
      "--type",
      "auth.session.>",
      "--json",
    );
    await expect.poll(() => run.lines.length).toBe(2);
    const live = sessionStart("request-3");
    await bench.publish(registration(), live);
    await expect.poll(() => run.lines.length).toBe(3);
    expect(JSON.parse(run.lines[2] ?? "")).toMatchObject({ id: live.id });
    run.kill("SIGINT");
    expect(await run.ended()).toMatchObject({ code: 0, errors: "" });
  });

  it("ends without an error when its reader closes the pipe", async () => {
    const script = `"${process.execPath}" tools/ops/main.ts events tail --since 1h | head -n 1; echo "$?" "\${PIPESTATUS[0]}"`;
    const live = setInterval(() => void bench.publish(sessionStart("request-4")), 50);
    const child = spawn("bash", ["-c", script], {
      cwd: ROOT,
      env: { PATH: process.env["PATH"], NATS_URL: bench.url },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    clearInterval(live);
    expect(errors).toBe("");
    expect(output.split("\n")).toEqual([expect.stringContaining(first.subject), "0 0", ""]);
  });

  it("stops at the limit", async () => {
    const { code, output } = await tail("--since", "1h", "--limit", "2");
    expect([code, output.split("\n").length]).toEqual([0, 2]);
  });
});

describe("the bus", () => {
  it("is that of the running stack in STACK_DIR, never of a killed one", async () => {
    const dir = mkdtempSync(join(tmpdir(), "gatehouse-ops-"));
    const addresses = {
      ports: { auth: [1], user: [2], gateway: [3] },
      databaseUrls: { auth: "postgres://a:secret@127.0.0.1/x", user: "postgres://u:secret@127.0.0.1/x" },
      natsUrl: bench.url,
      redisUrl: null,
    };
    const take = () => runOps({ STACK_DIR: dir }, ["events", "tail", "--no-follow", "--limit", "1"]);
    try {
      const takeBack = announceAddresses(dir, addresses);
      expect(await take()).toMatchObject({ code: 0, output: expect.stringContaining("auth.session.started") });
      takeBack();
      expect(await take()).toMatchObject({ code: 1, errors: expect.stringContaining(`no stack runs in ${dir}`) });
      writeFileSync(
        join(dir, "addresses.json"),
        JSON.stringify({ stack: { pid: process.pid, startedAt: "0" }, addresses }),
      );
      expect(await take()).toMatchObject({
        code: 1,
        errors: expect.stringContaining("start a stack with `pnpm start`"),
      });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("is named without the password when it does not reply", async () => {
    const { code, output, errors } = await runOps({ NATS_URL: "nats://ops:secret@127.0.0.1:1" }, ["events", "dead"]);
    expect([code, output]).toEqual([1, ""]);
    expect(errors).toContain("NATS at nats://127.0.0.1:1 rejected the connection");
    expect(errors).not.toContain("secret");
  });
});

it("a user without permission gets an error that names the user ops, without a stack", async () => {
  const locked = await createLockedBus();
  const { code, output, errors } = await runOps({ NATS_URL: locked.urlOf("gateway") }, ["events", "dead"]);
  await locked.stop();
  expect([code, output]).toEqual([1, ""]);
  expect(errors).toMatch(/^NATS rejected this: .*DEAD_LETTERS.*\nNATS_URL needs the user `ops`.*\n$/);
});

describe("--help", () => {
  it.each([[[]], [["events"]], [["events", "tail"]], [["events", "dead"]], [["events", "replay"]]])(
    "%j",
    async (args) => {
      const { code, output, errors } = await runOps({}, [...args, "--help"]);
      expect([code, errors]).toEqual([0, ""]);
      expect(output).toContain(["Usage: pnpm ops", ...args].join(" "));
      if (args.length === 2) expect(output).toMatch(/--json[^]*NATS_URL/);
    },
  );
});
