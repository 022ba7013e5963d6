import { STREAMS } from "@gatehouse/contracts";
import { DiscardPolicy, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { Fault } from "./fault.ts";

/** A limit below what the stream holds by then would throw its oldest messages out; this much comes within a second or two. */
const ROOM_BYTES = 16 * 1024;

/** NATS with no room left, in the two ways in which it has none: a stream at its limit, and a disk that is really full. */
export const FULL_DISK: readonly Fault[] = [
  {
    name: "NATS streams at their limit",
    touches: "nats",
    async run({ system, hold }) {
      const connection = await connect({ servers: system.servers.nats.url, name: "faults-full" });
      const manager = await jetstreamManager(connection);
      const names = [STREAMS.auth.name, STREAMS.user.name];
      try {
        for (const name of names) {
          const { state } = await manager.streams.info(name);
          await manager.streams.update(name, { max_bytes: state.bytes + ROOM_BYTES, discard: DiscardPolicy.New });
        }
        await hold(4_000, 6_000);
      } finally {
        for (const name of names) await manager.streams.update(name, { max_bytes: -1, discard: DiscardPolicy.Old });
        await connection.close();
      }
    },
  },
  {
    name: "NATS on a full disk",
    touches: "nats",
    async run({ system, hold }) {
      if (system.disk === undefined) return;
      await system.disk.fill();
      await hold(2_500, 5_000);
      await system.disk.empty();
      // A server that could not write has turned its JetStream off, which is for good until somebody restarts it.
      await system.servers.nats.restart();
    },
  },
];
