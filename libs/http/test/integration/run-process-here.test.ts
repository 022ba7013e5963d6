import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { ConfigError } from "@gatehouse/config";
import { OperatorError } from "@gatehouse/errors";
import { listen } from "../../src/process/listen.ts";
import { expect, onTestFinished, test } from "vitest";
import { runHere } from "../fixtures/run-here.ts";

// run-process.test.ts runs real processes; this file tests what they do not show from outside.

test.each(["SIGTERM", "SIGINT"] as const)(
  "runProcess › %s releases everything, last acquired first",
  async (signal) => {
    const process = runHere();
    await process.origin;
    process.send(signal);
    expect(await process.exit).toBe(0);
    expect(process.released).toEqual(["bus", "database"]);
    expect(process.lines.join()).toContain(`"reason":"${signal}"`);
  },
);

test("runProcess › a second SIGTERM changes nothing and the request gets its answer", async () => {
  const process = runHere();
  const arrived = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  process.app.get("/slow", async () => {
    arrived.resolve();
    await gate.promise;
    return { slow: true };
  });
  const answer = fetch(`${await process.origin}/slow`);
  await arrived.promise;
  process.send("SIGTERM");
  process.send("SIGTERM");
  gate.resolve();
  expect(await (await answer).json()).toEqual({ slow: true });
  expect(await process.exit).toBe(0);
});

test("runProcess › a second Ctrl-C exits at once", async () => {
  const process = runHere({ hangingRelease: true });
  await process.origin;
  process.send("SIGINT");
  // Two signals closer together are one keystroke.
  await delay(550);
  process.send("SIGINT");
  expect(await process.exit).toBe(130);
});

test("runProcess › closes the connection of a request that does not end", async () => {
  const process = runHere();
  const arrived = Promise.withResolvers<void>();
  process.app.get("/never", async () => {
    arrived.resolve();
    await new Promise(() => {});
  });
  const answer = fetch(`${await process.origin}/never`).catch(() => "cut");
  await arrived.promise;
  process.send("SIGTERM");
  expect(await answer).toBe("cut");
  expect(await process.exit).toBe(0);
  expect(process.lines.join()).toContain("closing their connections");
});

test("runProcess › exits with 1 when a release hangs", async () => {
  const process = runHere({ hangingRelease: true });
  await process.origin;
  process.send("SIGTERM");
  expect(await process.exit).toBe(1);
  expect(process.lines.join()).toContain("the process did not end in time");
});

test("runProcess › a signal during the start ends the process", async () => {
  const process = runHere({ start: () => new Promise(() => {}) });
  process.send("SIGTERM");
  expect(await process.exit).toBe(0);
  expect(process.released).toEqual(["bus", "database"]);
});

test.each(["uncaughtException", "unhandledRejection"] as const)(
  "runProcess › logs an %s and exits with 1",
  async (event) => {
    const process = runHere();
    await process.origin;
    process.send(event, new Error("nobody listens"));
    expect(await process.exit).toBe(1);
    expect(process.lines.join()).toContain("nobody listens");
  },
);

test("runProcess › prints every configuration problem without a stack", async () => {
  const problems = ["JWT_SECRET_KEY", "NATS_URL"].map((name) => ({ name, message: "is required" }));
  const process = runHere({
    readConfig() {
      throw new ConfigError(problems);
    },
  });
  expect(await process.exit).toBe(1);
  expect(process.lines).toEqual([
    "test: The configuration is not valid:\n  JWT_SECRET_KEY: is required\n  NATS_URL: is required",
  ]);
  expect(process.released).toEqual([]);
});

test("runProcess › prints an OperatorError without a stack", async () => {
  const process = runHere({ start: () => Promise.reject(new OperatorError("run the migrations")) });
  expect(await process.exit).toBe(1);
  expect(process.lines).toEqual(["test: run the migrations"]);
});

test("runProcess › prints the chain of causes of any other error", async () => {
  const cause = new Error("run the migrations");
  const process = runHere({ start: () => Promise.reject(new Error("the schema is behind", { cause })) });
  expect(await process.exit).toBe(1);
  expect(process.lines.join()).toMatch(
    /test: the start failed: Error: the schema is behind[^]*caused by Error: run the/,
  );
});

test("runProcess › names the port that another process uses", async () => {
  const squatter = createServer().listen(0, "127.0.0.1");
  await once(squatter, "listening");
  onTestFinished(() => void squatter.close());
  const { port } = squatter.address() as { port: number };
  const { app } = runHere({ start: () => new Promise(() => {}) });
  await expect(listen(app, "test", "127.0.0.1", port)).rejects.toThrow(String(port));
});
