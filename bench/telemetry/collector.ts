import { freePort } from "@gatehouse/local-stack";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Answers at once; answers 503; answers after 30 s; lets nobody connect, without refusing. */
export type Behaviour = "healthy" | "refusing" | "slow" | "hanging";

export interface Collector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT, with a name of the sender's behind it. */
  readonly url: string;
  /** How much each sender has sent so far. */
  bytesBySender(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

/** More than the queue of connections that nobody takes holds. */
const CONNECTIONS_THAT_FILL = 8;

/** Stands for a collector, as a process of its own that keeps nothing of what it is sent. */
export async function startCollector(behaviour: Behaviour): Promise<Collector> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("collector-process.ts", import.meta.url)), behaviour], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const url = `http://127.0.0.1:${line}`;
  const connections = behaviour === "hanging" ? fill(Number(line)) : [];
  return {
    url,
    bytesBySender: async () => (await (await fetch(url)).json()) as Record<string, number>,
    async stop() {
      for (const connection of connections) connection.destroy();
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Where nobody listens. */
export async function absentCollector(): Promise<Pick<Collector, "url" | "stop">> {
  return { url: `http://127.0.0.1:${await freePort()}`, stop: async () => {} };
}

function fill(port: number) {
  return Array.from({ length: CONNECTIONS_THAT_FILL }, () =>
    // Those that find no room wait for ever, or are reset at the end: either is what they are for.
    connect(port, "127.0.0.1").on("error", () => {}),
  );
}
