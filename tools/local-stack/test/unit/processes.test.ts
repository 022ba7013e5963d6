import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { endProcess, isAlive } from "../../src/process/identity.ts";
import { spawnManaged, waitUntilReady } from "../../src/process/managed-process.ts";
import { createPidRecords } from "../../src/process/pid-records.ts";
import { runCommand } from "../../src/process/run-command.ts";
import { createRunFolder, sweepDeadRuns } from "../../src/temporary-folders.ts";
import { bystander, deadIdentity, scratchFolder } from "../fixtures/scratch.ts";

const shell = (script: string, options: Partial<Parameters<typeof spawnManaged>[0]> = {}) =>
  spawnManaged({
    name: "shell",
    kind: "server",
    command: "/bin/sh",
    args: ["-c", script],
    stopSignal: "SIGTERM",
    stopWithinMs: 50,
    ...options,
  });

describe("endProcess", () => {
  test("ends a process with the signal", async () => {
    const one = await bystander();
    await endProcess(one.identity, "SIGTERM", 10_000);
    expect(await one.ended).toBe("SIGTERM");
  });

  test("kills a process that ignores the signal", async () => {
    const one = await bystander(":");
    await endProcess(one.identity, "SIGTERM", 50);
    expect(await one.ended).toBe("SIGKILL");
  });

  test("leaves a process alone that has the number of an ended one", async () => {
    const one = await bystander();
    await endProcess({ ...one.identity, startedAt: "1" }, "SIGKILL", 50);
    await endProcess(await deadIdentity(), "SIGKILL", 50);
    expect(isAlive(one.identity)).toBe(true);
  });
});

describe("the records of a killed run", () => {
  const server = { name: "nats", kind: "server", stopSignal: "SIGTERM" } as const;
  const service = { name: "auth", kind: "service", stopSignal: "SIGTERM" } as const;

  test("end services before servers and are removed", async () => {
    const folder = join(scratchFolder(), "run");
    const records = createPidRecords(folder);
    const diary = join(folder, "..", "diary");
    const lastWords = (words: string) => `echo ${words} >> '${diary}'; exit`;
    const [nats, auth] = [await bystander(lastWords("server")), await bystander(lastWords("service"))];
    const removed = await bystander();
    records.add(server, nats.identity.pid);
    records.add(service, auth.identity.pid);
    records.add(service, removed.identity.pid);
    records.remove(removed.identity.pid);
    expect((await createPidRecords(folder).endAll()).toSorted()).toEqual(["auth", "nats"]);
    expect(readFileSync(diary, "utf8")).toBe("service\nserver\n");
    expect(isAlive(removed.identity)).toBe(true);
    expect(existsSync(folder)).toBe(false);
  });

  test("skip a partial record and a record of an ended process", async () => {
    const folder = join(scratchFolder(), "run");
    const records = createPidRecords(folder);
    const dead = await deadIdentity();
    records.add(service, dead.pid);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "1.json"), '{"name":"au');
    writeFileSync(join(folder, `${dead.pid}.json`), JSON.stringify({ ...service, ...dead }));
    expect(await records.endAll()).toEqual([]);
  });

  test("end nothing when no process was recorded", async () => {
    expect(await createPidRecords(join(scratchFolder(), "never")).endAll()).toEqual([]);
  });
});

test("a sweep removes the folders of ended runs only", async () => {
  vi.stubEnv("TMPDIR", scratchFolder());
  onTestFinished(() => void vi.unstubAllEnvs());
  const begin = async () => {
    const run = createRunFolder();
    const server = await bystander();
    run.records.add({ name: "nats", kind: "server", stopSignal: "SIGTERM" }, server.identity.pid);
    return { path: run.path, server };
  };
  const living = await begin();
  const dead = await begin();
  const half = await begin();
  writeFileSync(join(dead.path, "owner.json"), JSON.stringify(await deadIdentity()));
  writeFileSync(join(half.path, "owner.json"), "");
  await sweepDeadRuns();
  expect(await dead.server.ended).toBe("SIGTERM");
  expect([living, dead, half].map(({ path }) => existsSync(path))).toEqual([true, false, true]);
  expect([living, half].map(({ server }) => isAlive(server.identity))).toEqual([true, true]);
});

describe("a managed process", () => {
  test("passes its lines on and keeps the last 200", async () => {
    const seen: string[] = [];
    const child = await shell("seq 202", {
      onLine: (line) => seen.push(line),
    });
    expect(await child.ended).toBe("exit code 0");
    expect(child.lines).toEqual(Array.from({ length: 200 }, (_, index) => String(index + 3)));
    expect(seen).toHaveLength(202);
    expect(await child.stop()).toBe("exit code 0");
  });

  test("is killed with its children when it does not stop in time", async () => {
    const child = await shell("trap '' TERM; echo up; while :; do sleep 0.05; done");
    await waitUntilReady(child, async () => child.lines.length > 0);
    expect(await child.stop()).toBe("signal SIGKILL");
    expect(child.hasEnded()).toBe(true);
  });

  test("fails the wait with its last lines when it ends before it is ready", async () => {
    const child = await shell("echo 'Address already in use' >&2; exit 3");
    const failure = waitUntilReady(child, async () => false);
    await expect(failure).rejects.toMatchObject({ log: "Address already in use" });
    await expect(failure).rejects.toThrow("shell ended while it started (exit code 3)");
  });

  test("fails the wait and keeps running when it is not ready in time", async () => {
    const child = await shell("sleep 60");
    await expect(waitUntilReady(child, async () => false, { withinMs: 30 })).rejects.toThrow("was not ready within");
    expect(child.hasEnded()).toBe(false);
    await child.stop();
  });

  test("stops being waited for when the signal aborts", async () => {
    const child = await shell("sleep 60");
    const giveUp = AbortSignal.abort(new Error("interrupted"));
    await expect(waitUntilReady(child, async () => false, { signal: giveUp })).rejects.toThrow("interrupted");
    await child.stop();
  });

  test("fails when its program does not exist", async () => {
    await expect(shell("", { command: "/no/such/program" })).rejects.toThrow("shell cannot be run");
  });
});

describe("runCommand", () => {
  const run = (script: string, options = {}) => runCommand("/bin/sh", ["-c", script], options);

  test.each([
    ["returns the output of a success", "echo out; echo noise >&2", { ok: true, stdout: "out\n", reason: "" }],
    [
      "returns the standard error of a failure",
      "echo out; echo why >&2; exit 2",
      { ok: false, stdout: "out\n", reason: "why" },
    ],
    ["returns the exit code of a silent failure", "exit 2", { ok: false, stdout: "", reason: "it ended with 2" }],
    ["returns the signal that ended it", "kill -9 $$", { ok: false, stdout: "", reason: "it ended with SIGKILL" }],
  ])("%s", async (_what, script, result) => {
    expect(await run(script)).toEqual(result);
  });

  test("kills the command and its children after the limit", async () => {
    const result = await run("sleep 60 & wait", { withinMs: 50 });
    expect(result).toMatchObject({ ok: false, reason: "no answer within 0.05 s" });
  });

  test("returns a failure when the program does not exist", async () => {
    const result = await runCommand("/no/such/program", []);
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining("ENOENT") as string });
  });

  test("rejects when the signal aborts", async () => {
    const controller = new AbortController();
    const running = run("sleep 60", { signal: controller.signal });
    controller.abort(new Error("interrupted"));
    await expect(running).rejects.toThrow("interrupted");
  });
});
