import type { OutboxInsert } from "../tables/messaging.table.ts";
import { type ClaimedRow, claimRows } from "./claim.ts";
import { createDispatch, type Dispatch, type DispatchOptions } from "./dispatch.ts";
import { createLane } from "./lane.ts";

export interface Delivery extends Pick<Dispatch, "settled" | "counts"> {
  /** @param committed the new rows where they are known; unknown rows may revoke, so they are read at once */
  wake(committed?: readonly OutboxInsert[]): void;
  /** Resolves when no batch is in hand. */
  idle(): Promise<void>;
}

const BATCH = 500;
const URGENT_BATCH = 100;
/**
 * How long ordinary rows wait for others. Nobody is kept waiting by an event that revokes nothing, and under load
 * one claim and one mark serve many: a login costs its service two statements less.
 */
const GATHER_MS = 20;
/** Commits whose rows are published from memory at the same time; beyond that they go by claims, many at a time. */
const EXPRESS_MAX = 32;

/**
 * Moves rows from the outbox to the stream: claim, publish, settle, until a claim comes back short. What revokes and was committed by
 * this process itself is published from memory, without a claim, which would be the longest part of its way. Whoever else claims such
 * a row before it is settled publishes it a second time, under the same Nats-Msg-Id, and JetStream drops that.
 */
export function createDelivery(options: DispatchOptions): Delivery {
  const { db, session } = options;
  const dispatch = createDispatch(options);
  const all = createLane(() => round(BATCH, false));
  const urgent = createLane(() => round(URGENT_BATCH, true));
  const expresses = new Set<Promise<unknown>>();
  let gathering: NodeJS.Timeout | undefined;

  /** @returns true when there is more and it is going well */
  async function round(limit: number, revokingOnly: boolean): Promise<boolean> {
    const sent = await dispatch.send(() => claimRows(db, { limit, revokingOnly }));
    return sent !== undefined && sent.acknowledged > 0 && sent.rows === limit;
  }

  function runNow(): void {
    clearTimeout(gathering);
    gathering = undefined;
    const busy = all.busy();
    all.run();
    if (busy) urgent.run();
  }

  function runSoon(): void {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      all.run();
    }, GATHER_MS);
  }

  /** What fails on this way is found by the next sweep. */
  function sendFromMemory(committed: readonly OutboxInsert[]): void {
    const express = dispatch.send(() => committed.map(inHand));
    expresses.add(express);
    void express.finally(() => expresses.delete(express));
  }

  return {
    wake(committed) {
      if (committed && !committed.some(({ revoking }) => revoking)) runSoon();
      else if (committed && session() && expresses.size < EXPRESS_MAX) sendFromMemory(committed);
      else runNow();
    },
    async idle() {
      await Promise.all([all.idle(), urgent.idle(), ...expresses]);
    },
    settled: dispatch.settled,
    counts: dispatch.counts,
  };
}

/** A row as a claim would have it. */
function inHand({ id, subject, payload, headers, revoking }: OutboxInsert): ClaimedRow {
  return { id, subject, payload, headers: JSON.parse(headers ?? "{}") as ClaimedRow["headers"], revoking };
}
