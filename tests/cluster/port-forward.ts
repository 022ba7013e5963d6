import { type Cluster, inNamespace } from "@gatehouse/test-kit/kubectl";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface PortForward {
  readonly url: string;
  close(): Promise<void>;
}

/** Opens a port of loopback to a pod's port. @throws Error with what kubectl says when it cannot */
export async function forwardPort(cluster: Cluster, pod: string, port: number): Promise<PortForward> {
  const args = inNamespace(cluster, ["port-forward", "--address=127.0.0.1", `pod/${pod}`, `:${port}`]);
  const child = spawn("kubectl", args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const close = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  for await (const line of createInterface(child.stdout)) {
    const local = /^Forwarding from (127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (local === undefined) continue;
    child.stdout.resume();
    return { url: `http://${local}`, close };
  }
  throw new Error(`kubectl ${args.join(" ")}: it ended with ${(await ended)[0]}`);
}
