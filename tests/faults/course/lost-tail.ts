import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Fault } from "./fault.ts";

/** A NATS that is back as it was a moment ago: what it acknowledged since is gone, with power before it was on the disk, or with a snapshot that was put back. */
export const LOST_TAIL: Fault = {
  name: "NATS forgets its last seconds",
  touches: "nats",
  async run({ system, hold }) {
    const { nats } = system.servers;
    const data = join(nats.folder, "data");
    const snapshot = join(nats.folder, "snapshot");
    await nats.stop();
    await cp(data, snapshot, { recursive: true });
    await nats.start();
    await hold(2_000, 4_000);
    await nats.kill();
    await rm(data, { recursive: true });
    await cp(snapshot, data, { recursive: true });
    await nats.start();
    await rm(snapshot, { recursive: true });
  },
};
