import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface ConsumerProcess {
  /** Ends it as a crash does, and starts another. */
  crash(): Promise<void>;
  stop(): Promise<void>;
  /** `running`, or how the present one ended. */
  state(): string;
}

/** The projecting consumer, as a process of its own. */
export function startConsumerProcess(environment: { DATABASE_URL: string; NATS_URL: string }): ConsumerProcess {
  const launch = () =>
    spawn(process.execPath, [fileURLToPath(new URL("projection.ts", import.meta.url))], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "inherit", "inherit"],
    });
  let child = launch();

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.kill(signal);
    await ended;
  }

  return {
    async crash() {
      await end("SIGKILL");
      child = launch();
    },
    stop: () => end("SIGTERM"),
    state: () => child.signalCode ?? child.exitCode?.toString() ?? "running",
  };
}
