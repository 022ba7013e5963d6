import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface BenchStack {
  readonly url: string;
  readonly ports: { readonly gateway: number; readonly auth: number; readonly user: number };
  /** Milliseconds from the start of the process to its ready line. */
  readonly readyAfter: number;
  stop(): Promise<void>;
}

export const ADMIN = { email: "bench-admin@example.com", password: "Bench-Admin-1" };
const READY = /^gatehouse ready on /;

/** The whole system by the project's own start command, on free ports with data of its own, which are removed at the end. */
export async function startStack(environment: NodeJS.ProcessEnv = {}): Promise<BenchStack> {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-bench-"));
  const ports = { gateway: await freePort(), auth: await freePort(), user: await freePort() };
  const begun = performance.now();
  const child = spawn(process.execPath, ["tools/start/main.ts", "--fresh"], {
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    env: {
      ...process.env,
      STACK_DIR: join(folder, "stack"),
      GATEWAY_PORT: String(ports.gateway),
      AUTH_PORT: String(ports.auth),
      USER_PORT: String(ports.user),
      FIRST_ADMIN_EMAIL: ADMIN.email,
      FIRST_ADMIN_PASSWORD: ADMIN.password,
      RATE_LIMIT_ENABLED: "false",
      LOG_LEVEL: "warn",
      ...environment,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    if (child.exitCode === null) child.kill("SIGINT");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => READY.test(line) && resolve());
    void ended.then(() => reject(new Error("the system ended before it was ready")));
  });
  try {
    await ready;
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${ports.gateway}`, ports, readyAfter: performance.now() - begun, stop };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
