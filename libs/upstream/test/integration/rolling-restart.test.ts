import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { createUpstream } from "@gatehouse/upstream";

const PROGRAM = fileURLToPath(new URL("../fixtures/replica-process.ts", import.meta.url));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function startReplica(port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM, String(port)], { stdio: "inherit" });
  children.push(child);
  await expect
    .poll(
      () =>
        fetch(`http://127.0.0.1:${port}/health`).then(
          (response) => response.status,
          () => 0,
        ),
      { timeout: 10_000 },
    )
    .toBe(200);
  return child;
}

it("a rolling restart under load fails no request", async () => {
  const ports = [await freePort(), await freePort()] as const;
  const [first] = await Promise.all(ports.map(startReplica));
  const upstream = createUpstream({ urls: ports.map((port) => `http://127.0.0.1:${port}`) });
  const results = new Map<string, number>();
  let running = true;
  const post = () =>
    upstream
      .send(
        { path: "/x", method: "POST", body: "{}", headers: { "content-type": "application/json" } },
        async ({ statusCode, body }) => {
          await body.dump();
          return String(statusCode);
        },
      )
      .catch((error: unknown) => String(error));
  const clients = Array.from({ length: 8 }, async () => {
    while (running) {
      const result = await post();
      results.set(result, (results.get(result) ?? 0) + 1);
    }
  });
  first?.kill("SIGTERM");
  const [code] = await once(first as ChildProcess, "exit");
  expect(code).toBe(0);
  await startReplica(ports[0]);
  running = false;
  await Promise.all(clients);
  await upstream.close();
  expect([...results.keys()]).toEqual(["200"]);
  expect(results.get("200")).toBeGreaterThan(100);
});
