import { freePort } from "@gatehouse/local-stack";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A collector that answers at once, with 503, or after 30 s; accepts no connection without refusing it; or does not listen. */
export type Behavior = "healthy" | "refusing" | "slow" | "hanging" | "down";

export interface Collector extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT; a sender may append its name. */
  readonly url: string;
  bytesBySender(): Promise<Record<string, number>>;
}

/** More than the backlog of the hanging collector. */
const CONNECTIONS = 8;

/** Starts a process that keeps nothing of what it receives. */
export async function startCollector(behavior: Behavior): Promise<Collector> {
  if (behavior === "down") return toCollector(await freePort(), async () => undefined);
  const script = fileURLToPath(new URL("collector-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script, behavior], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const sockets = Array.from({ length: behavior === "hanging" ? CONNECTIONS : 0 }, () =>
    // Connections beyond the backlog wait, or are reset at the end.
    connect(Number(line), "127.0.0.1").on("error", () => {}),
  );
  return toCollector(Number(line), async () => {
    for (const socket of sockets) socket.destroy();
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  });
}

function toCollector(port: number, close: () => Promise<void>): Collector {
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    bytesBySender: async () => (await (await fetch(url)).json()) as Record<string, number>,
    [Symbol.asyncDispose]: close,
  };
}
