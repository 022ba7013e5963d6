import type { OutboxInsert } from "../tables/messaging.table.ts";
import { type ClaimedRow, claimRows } from "./claim.ts";
import { createDispatch, type Dispatch, type DispatchDeps } from "./dispatch.ts";
import { createSingleJob } from "./single-job.ts";

export interface Delivery extends Pick<Dispatch, "settled" | "counts"> {
  /** @param committed the new rows where they are known; unknown rows may revoke, so they are read at once */
  wake(committed?: readonly OutboxInsert[]): void;
  /** Resolves when no batch is being published. */
  idle(): Promise<void>;
}

const BATCH = 500;
const URGENT_BATCH = 100;
/**
 * How long ordinary rows wait for others. Events that revoke nothing are not urgent, and under load one claim and one mark serve
 * many of them: a login needs two statements less.
 */
const GATHER_MS = 20;
/** How many commits are published from memory at the same time; the relay claims the rows of further ones in batches. */
const FROM_MEMORY_MAX = 32;

/**
 * Publishes outbox rows in batches until a claim returns less than a batch. Revoking rows that this process committed are published
 * from memory: the claim would be the longest part of their way. Another relay may claim and publish such a row as well; JetStream
 * drops the duplicate by its Nats-Msg-Id.
 */
export function createDelivery(deps: DispatchDeps): Delivery {
  const { db, session } = deps;
  const dispatch = createDispatch(deps);
  const all = createSingleJob(() => round(BATCH, false));
  const urgent = createSingleJob(() => round(URGENT_BATCH, true));
  const fromMemory = new Set<Promise<unknown>>();
  let gathering: NodeJS.Timeout | undefined;

  /** Returns true when more rows wait and publishing works. */
  async function round(limit: number, revokingOnly: boolean): Promise<boolean> {
    const sent = await dispatch.send(() => claimRows(db, { limit, revokingOnly }));
    return sent !== undefined && sent.acknowledged > 0 && sent.rows === limit;
  }

  function runNow(): void {
    clearTimeout(gathering);
    gathering = undefined;
    const isBusy = all.isRunning();
    all.run();
    if (isBusy) urgent.run();
  }

  function runSoon(): void {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      all.run();
    }, GATHER_MS);
  }

  /** Rows that fail here are published by the next sweep. */
  function sendFromMemory(committed: readonly OutboxInsert[]): void {
    const sending = dispatch.send(() => committed.map(toClaimed));
    fromMemory.add(sending);
    void sending.finally(() => fromMemory.delete(sending));
  }

  return {
    wake(committed) {
      if (committed && !committed.some(({ revoking }) => revoking)) runSoon();
      else if (committed && session() && fromMemory.size < FROM_MEMORY_MAX) sendFromMemory(committed);
      else runNow();
    },
    async idle() {
      await Promise.all([all.idle(), urgent.idle(), ...fromMemory]);
    },
    settled: dispatch.settled,
    counts: dispatch.counts,
  };
}

/** Returns the row as a claim returns it. */
function toClaimed({ id, subject, payload, headers, revoking }: OutboxInsert): ClaimedRow {
  return { id, subject, payload, headers: JSON.parse(headers ?? "{}") as ClaimedRow["headers"], revoking };
}
