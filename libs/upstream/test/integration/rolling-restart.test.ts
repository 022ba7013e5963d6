import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { createUpstream } from "../../src/services/forwarding/upstream.ts";

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
          (answer) => answer.status,
          () => 0,
        ),
      { timeout: 10_000 },
    )
    .toBe(200);
  return child;
}

it("what happens when one of two replicas is stopped and started under load: no request fails", async () => {
  const ports = [await freePort(), await freePort()] as const;
  const [first] = await Promise.all(ports.map(startReplica));
  const upstream = createUpstream(ports.map((port) => `http://127.0.0.1:${port}`));
  const answers = new Map<string, number>();
  let running = true;
  const post = () =>
    new Promise<string>((resolve) =>
      upstream.request(
        "/x",
        { path: "/x", method: "POST", body: "{}", headers: { "content-type": "application/json" } },
        (error, data) => {
          if (error) return resolve(error.name);
          data.body.dump().then(
            () => resolve(String(data.statusCode)),
            () => resolve("broken body"),
          );
        },
      ),
    );
  const clients = Array.from({ length: 8 }, async () => {
    while (running) {
      const answer = await post();
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  });
  first?.kill("SIGTERM");
  const [code] = await once(first as ChildProcess, "exit");
  expect(code).toBe(0);
  await startReplica(ports[0]);
  running = false;
  await Promise.all(clients);
  await upstream.close();
  expect([...answers.keys()]).toEqual(["200"]);
  expect(answers.get("200")).toBeGreaterThan(100);
});
