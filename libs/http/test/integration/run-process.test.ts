import { once } from "node:events";
import { Agent } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { parseAnswer } from "../fixtures/test-app.ts";
import { request } from "../fixtures/request.ts";
import { type Child, runChild } from "../fixtures/run-child.ts";

const released = (child: Child) =>
  child.lines.filter((line) => line.startsWith("released")).map((line) => line.slice(9));

describe("signals", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s releases in reverse order and exits with 0", async (signal) => {
    const child = runChild("normal");
    await child.port();
    child.process.kill(signal);
    expect(await child.exited).toBe(0);
    expect(released(child)).toEqual(["relay", "bus", "database"]);
  });

  test("a failed release is logged, the others run, and the exit code is 0", async () => {
    const child = runChild("release-fails");
    await child.port();
    child.process.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(released(child)).toEqual(["relay", "database"]);
    expect(await child.line("could not release bus")).toContain("the bus is closed");
  });

  test("a signal during the start releases what was acquired and does not wait", async () => {
    const child = runChild("start-hangs");
    await child.line("starting");
    child.process.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(released(child)).toEqual(["relay", "bus", "database"]);
  });

  test("a second SIGINT exits at once", async () => {
    const child = runChild("normal");
    const port = await child.port();
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    socket.write("GET /never HTTP/1.1\r\nhost: x\r\n\r\n");
    await child.line("endless request began");
    const again = setInterval(() => child.process.kill("SIGINT"), 50);
    expect(await child.exited).toBe(130);
    clearInterval(again);
  });

  test("the limits end requests that hang, then the process with exit code 1", async () => {
    const child = runChild("release-hangs");
    const port = await child.port();
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    socket.write("GET /never HTTP/1.1\r\nhost: x\r\n\r\n");
    await child.line("endless request began");
    child.process.kill("SIGTERM");
    expect(await child.exited).toBe(1);
    expect(await child.line("closing their connections")).toContain("warn");
    expect(await child.line("did not end in time")).toContain('"level":"fatal"');
    expect(released(child)).toEqual(["relay"]);
  });

  test("everything is released although a request never ends", async () => {
    const child = runChild("quick");
    const port = await child.port();
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    socket.write("GET /never HTTP/1.1\r\nhost: x\r\n\r\n");
    await child.line("endless request began");
    child.process.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(released(child)).toEqual(["relay", "bus", "database"]);
  });
});

describe("requests during a drain", () => {
  test("a request in progress finishes", async () => {
    const child = runChild("normal");
    const port = await child.port();
    expect(await child.line("listens on")).toContain("test 1.2.3 listens on");
    const agent = new Agent({ keepAlive: true });
    const slow = request(port, "/slow", agent);
    await child.line("slow request began");
    child.process.kill("SIGTERM");
    expect(await slow).toMatchObject({ status: 200, connection: "close" });
    agent.destroy();
    expect(await child.exited).toBe(0);
  });

  test("readiness ends at once; new connections are still served and closed after the answer", async () => {
    const child = runChild("normal");
    const port = await child.port();
    const idle = connect(port, "127.0.0.1");
    await once(idle, "connect");
    child.process.kill("SIGTERM");
    await child.line("is stopping");
    const agent = new Agent();
    expect(await request(port, "/health/ready", agent)).toMatchObject({ status: 503, connection: "close" });
    expect(await request(port, "/hello", agent)).toMatchObject({ status: 200, connection: "close" });
    idle.destroy();
    expect(await child.exited).toBe(0);
  });

  test("a request over a kept-alive connection is answered with connection: close", async () => {
    const child = runChild("normal");
    const port = await child.port();
    const socket = connect(port, "127.0.0.1");
    const ask = async () => {
      socket.write("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n");
      const [chunk] = (await once(socket, "data")) as [Buffer];
      return parseAnswer(chunk.toString());
    };
    expect((await ask()).headers["connection"]).toBe("keep-alive");
    child.process.kill("SIGTERM");
    await child.line("is stopping");
    expect(await ask()).toMatchObject({ status: 200, headers: { connection: "close" } });
    await once(socket, "end");
    expect(await child.exited).toBe(0);
  });

  test("clients that honor connection: close see no failure", async () => {
    const child = runChild("normal");
    const port = await child.port();
    let answers = 0;
    const clients = Array.from({ length: 10 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (;;) {
        const { status, connection } = await request(port, "/hello", agent);
        expect(status).toBe(200);
        answers++;
        if (connection === "close") return agent.destroy();
      }
    });
    await expect.poll(() => answers).toBeGreaterThan(200);
    child.process.kill("SIGTERM");
    await Promise.all(clients);
    expect(await child.exited).toBe(0);
  });

  test("an idle connection delays the end by at most the grace", async () => {
    const child = runChild("quick");
    const port = await child.port();
    const agent = new Agent({ keepAlive: true });
    await request(port, "/hello", agent);
    child.process.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(child.lines.some((line) => line.includes("did not end in time"))).toBe(false);
    agent.destroy();
  });
});

describe("a start that fails", () => {
  test("prints every configuration problem by name without a stack and exits with 1", async () => {
    const child = runChild("config-error");
    expect(await child.exited).toBe(1);
    expect(child.lines).toEqual([
      "test: The configuration is not valid:",
      "  JWT_SECRET_KEY: is required",
      "  DATABASE_URL: must be a URL",
    ]);
  });

  test("prints any other error with its causes and releases what was acquired", async () => {
    const child = runChild("start-fails");
    expect(await child.exited).toBe(1);
    expect(await child.line("test: the start failed: Error: the schema is behind")).toBeTruthy();
    expect(await child.line("caused by Error: run the migrations")).toBeTruthy();
    expect(released(child)).toEqual(["relay", "bus", "database"]);
  });

  test("names a port in use in one line and releases everything", async () => {
    const child = runChild("port-taken");
    expect(await child.exited).toBe(1);
    expect(await child.line("cannot listen on")).toMatch(
      /^test: cannot listen on 127\.0\.0\.1:\d+: another process uses the port$/,
    );
    expect(released(child)).toEqual(["relay", "bus", "database"]);
  });
});

test("an unhandled rejection is logged and ends the process with 1", async () => {
  const child = runChild("normal");
  const port = await child.port();
  await request(port, "/reject", new Agent()).catch(() => delay(0));
  expect(await child.exited).toBe(1);
  expect(await child.line("unhandled error")).toMatch(/"level":"fatal".*nobody listens/);
});
