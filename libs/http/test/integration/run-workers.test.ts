import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { request } from "../fixtures/request.ts";
import { type Child, runChild } from "../fixtures/run-child.ts";

// Like run-process.test.ts, with a supervisor and two workers of fixtures/process.ts.

const TWO = { WEB_CONCURRENCY: "2" };

const linesOf = (child: Child, text: string) => child.lines.filter((line) => line.includes(text));
const pidsOf = (child: Child, text: string) =>
  linesOf(child, text).map((line) => Number(/"pid":(\d+)/.exec(line)?.[1]));

/** Resolves with the pids of all workers so far once `count` of them listen. */
async function workersOf(child: Child, count = 2): Promise<number[]> {
  await expect.poll(() => pidsOf(child, "listens on").length).toBeGreaterThanOrEqual(count);
  return pidsOf(child, "listens on");
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("stopping a supervisor", () => {
  test.each([
    ["SIGTERM", "the supervisor"],
    ["SIGINT", "the whole process group, as Ctrl-C does"],
  ] as const)("%s to %s lets every worker finish and release, and exits with 0", async (signal, whom) => {
    const child = runChild("normal", TWO);
    const [port, workers] = [await child.port(), await workersOf(child)];
    const slow = request(port, "/slow");
    await child.line("slow request began");
    const pid = child.process.pid ?? 0;
    process.kill(whom === "the supervisor" ? pid : -pid, signal);
    expect(await slow).toMatchObject({ status: 200, connection: "close" });
    expect(await child.exited).toBe(0);
    expect(linesOf(child, "released database")).toHaveLength(2);
    expect(workers.filter(isAlive)).toEqual([]);
  });

  test("kills a blocked worker in time and exits with 1", async () => {
    const child = runChild("quick", TWO);
    const port = await child.port();
    const workers = await workersOf(child);
    const blocked = request(port, "/block").catch(() => "cut");
    await child.line("the process is blocked");
    child.process.kill("SIGTERM");
    expect(await child.exited).toBe(1);
    expect(await blocked).toBe("cut");
    expect(linesOf(child, "did not end in time; killing them")).toHaveLength(1);
    expect(workers.filter(isAlive)).toEqual([]);
  });

  test("a signal during the start ends it; the port is closed until the start is complete", async () => {
    const port = await freePort();
    const child = runChild("start-hangs", { ...TWO, PORT: String(port) });
    await child.line("starting");
    await expect(request(port, "/health")).rejects.toThrow("ECONNREFUSED");
    child.process.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(linesOf(child, "released database")).toHaveLength(1);
  });
});

test("workers of a killed supervisor finish their requests and end", async () => {
  const child = runChild("normal", TWO);
  const port = await child.port();
  const workers = await workersOf(child);
  const slow = request(port, "/slow");
  await child.line("slow request began");
  child.process.kill("SIGKILL");
  expect(await slow).toMatchObject({ status: 200, connection: "close" });
  await expect.poll(() => workers.filter(isAlive)).toEqual([]);
  expect(linesOf(child, `"reason":"orphaned"`)).toHaveLength(2);
  expect(linesOf(child, "released database")).toHaveLength(2);
});

describe("a start that fails", () => {
  test.each([
    ["config-error", "JWT_SECRET_KEY"],
    ["start-fails", "the start failed"],
    ["normal", "another process uses the port"],
  ])("mode %s logs %s once and exits with 1", async (mode, message) => {
    const squatter = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void squatter.close());
    await once(squatter, "listening");
    const child = runChild(mode, { ...TWO, PORT: String(portOf(squatter)) });
    expect(await child.exited).toBe(1);
    expect(linesOf(child, message)).toHaveLength(1);
  });

  test("a later worker is retried while the first one serves", async () => {
    const child = runChild("later-fail", TWO);
    const port = await child.port();
    await child.line("ended before it was ready; retrying");
    expect(await request(port, "/hello")).toMatchObject({ status: 200 });
    await workersOf(child);
    expect(linesOf(child, "ended before it was ready; retrying")).toHaveLength(2);
    child.process.kill("SIGINT");
    expect(await child.exited).toBe(0);
  });
});

test("a crashed worker is replaced while the others serve", async () => {
  const child = runChild("normal", TWO);
  const port = await child.port();
  const [victim = 0] = await workersOf(child);
  process.kill(victim, "SIGKILL");
  expect(await child.line("a worker ended; replacing it")).toContain(
    `"worker":${victim},"code":null,"signal":"SIGKILL"`,
  );
  expect(await request(port, "/hello")).toMatchObject({ status: 200 });
  const workers = (await workersOf(child, 3)).filter((pid) => pid !== victim);
  const answering = async () => (JSON.parse((await request(port, "/pid")).body) as { pid: number }).pid;
  expect(new Set([await answering(), await answering()])).toEqual(new Set(workers));
  child.process.kill("SIGINT");
  expect(await child.exited).toBe(0);
});

test("without WEB_CONCURRENCY there is one process and no supervisor", async () => {
  const child = runChild("normal");
  await child.port();
  child.process.kill("SIGINT");
  expect(await child.exited).toBe(0);
  expect(new Set(pidsOf(child, `"pid"`))).toEqual(new Set([child.process.pid]));
});

const portOf = (server: Server) => (server.address() as AddressInfo).port;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
