import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { endProcess } from "../../src/process/end-process.ts";
import { isAlive } from "../../src/process/identity.ts";
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

describe("what happens when a process that is not our child is ended", () => {
  test("it goes at the signal", async () => {
    const one = await bystander();
    await endProcess(one.identity, "SIGTERM", 10_000);
    expect(await one.ended).toBe("SIGTERM");
  });

  test("one that does not hear the signal is killed when its time is over", async () => {
    const one = await bystander(":");
    await endProcess(one.identity, "SIGTERM", 50);
    expect(await one.ended).toBe("SIGKILL");
  });

  test("nothing happens to one that got the number of a dead one", async () => {
    const one = await bystander();
    await endProcess({ ...one.identity, startedAt: "1" }, "SIGKILL", 50);
    await endProcess(await deadIdentity(), "SIGKILL", 50);
    expect(isAlive(one.identity)).toBe(true);
  });
});

describe("what happens to what a killed run left behind", () => {
  const server = { name: "nats", kind: "server", stopSignal: "SIGTERM" } as const;
  const service = { name: "auth", kind: "service", stopSignal: "SIGTERM" } as const;

  test("services end before the servers that they need, and the records are gone", async () => {
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

  test("a record that was cut short, and one whose process has ended, are passed over", async () => {
    const folder = join(scratchFolder(), "run");
    const records = createPidRecords(folder);
    const dead = await deadIdentity();
    records.add(service, dead.pid);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "1.json"), '{"name":"au');
    writeFileSync(join(folder, `${dead.pid}.json`), JSON.stringify({ ...service, ...dead }));
    expect(await records.endAll()).toEqual([]);
  });

  test("where nothing ran there is nothing to end", async () => {
    expect(await createPidRecords(join(scratchFolder(), "never")).endAll()).toEqual([]);
  });
});

test("what happens when a run begins beside others: what those have left that are dead goes, and nothing else", async () => {
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

describe("what happens to a child of ours", () => {
  test("its lines are kept, the last ones only, and passed on", async () => {
    const seen: string[] = [];
    const child = await shell("for i in 1 2 3 4; do echo line $i; done", {
      keepLines: 2,
      onLine: (line) => seen.push(line),
    });
    expect(await child.ended).toBe("exit code 0");
    expect(child.log.text()).toBe("line 3\nline 4");
    expect(seen).toHaveLength(4);
    expect(await child.stop()).toBe("exit code 0");
  });

  test("one that does not stop in time is killed, and its own children with it", async () => {
    const child = await shell("trap '' TERM; echo up; while :; do sleep 0.05; done");
    await waitUntilReady(child, async () => child.log.lines.length > 0);
    expect(await child.stop()).toBe("signal SIGKILL");
    expect(child.hasEnded()).toBe(true);
  });

  test("one that ends before it is ready is an error with its last words", async () => {
    const child = await shell("echo 'Address already in use' >&2; exit 3");
    const failure = waitUntilReady(child, async () => false);
    await expect(failure).rejects.toMatchObject({ log: "Address already in use" });
    await expect(failure).rejects.toThrow("shell ended at its start (exit code 3)");
  });

  test("one that is not ready in time is an error, and it still runs", async () => {
    const child = await shell("sleep 60");
    await expect(waitUntilReady(child, async () => false, { withinMs: 30 })).rejects.toThrow("was not ready within");
    expect(child.hasEnded()).toBe(false);
    await child.stop();
  });

  test("who waits for one can be told to give up", async () => {
    const child = await shell("sleep 60");
    const giveUp = AbortSignal.abort(new Error("interrupted"));
    await expect(waitUntilReady(child, async () => false, { signal: giveUp })).rejects.toThrow("interrupted");
    await child.stop();
  });

  test("one that is not there cannot be run", async () => {
    await expect(shell("", { command: "/no/such/program" })).rejects.toThrow("shell cannot be run");
  });
});

describe("what happens when a command is run to its end", () => {
  const run = (script: string, options = {}) => runCommand("/bin/sh", ["-c", script], options);

  test.each([
    ["it works", "echo out; echo noise >&2", { ok: true, stdout: "out\n", reason: "" }],
    ["it fails with words", "echo out; echo why >&2; exit 2", { ok: false, stdout: "out\n", reason: "why" }],
    ["it fails without", "exit 2", { ok: false, stdout: "", reason: "it ended with 2" }],
    ["it is killed", "kill -9 $$", { ok: false, stdout: "", reason: "it ended with SIGKILL" }],
  ])("%s", async (_what, script, result) => {
    expect(await run(script)).toEqual(result);
  });

  test("it takes too long: it is ended with its own children", async () => {
    const result = await run("sleep 60 & wait", { withinMs: 50 });
    expect(result).toMatchObject({ ok: false, reason: "no answer within 0.05 s" });
  });

  test("it is not there", async () => {
    const result = await runCommand("/no/such/program", []);
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining("ENOENT") as string });
  });

  test("an abort is an exception", async () => {
    const controller = new AbortController();
    const running = run("sleep 60", { signal: controller.signal });
    controller.abort(new Error("interrupted"));
    await expect(running).rejects.toThrow("interrupted");
  });
});
