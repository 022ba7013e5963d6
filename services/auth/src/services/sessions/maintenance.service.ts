import { type Database, inBatches, tryLockAdvisory } from "@gatehouse/database";
import type { AuthTables, AuthTransaction } from "../../db/database.ts";
import { deleteSealedSuccessors, deleteExpiredTokens } from "../../repositories/sessions/refresh-token.repository.ts";
import { deleteTokenlessSessions } from "../../repositories/sessions/session.repository.ts";
import { deleteTombstonesBefore } from "../../repositories/accounts/tombstone.repository.ts";
import type { DeletionService } from "../accounts/deletion.service.ts";
import type { KeyService } from "../keys/key.service.ts";

/** Longer than any stream keeps an event (docs/reference/events.md), so every late event finds its tombstone. */
const TOMBSTONE_DAYS = 60;
const BATCH = 500;

export interface MaintenanceServiceDeps {
  readonly database: Database<AuthTables>;
  readonly deletions: DeletionService;
  readonly keys: KeyService;
  readonly reuseGraceSeconds: number;
  readonly now: () => Date;
}

/** Rows that one pass deleted or changed. */
export interface MaintenanceReport {
  readonly expiredTokens: number;
  readonly sessions: number;
  readonly sealedSuccessors: number;
  readonly erasedAccounts: number;
  readonly tombstones: number;
  readonly retiredKeys: number;
}

/** Deletes expired rows in short transactions. Every replica runs it; an advisory lock lets one replica work at a time. */
export function createMaintenanceService({
  database,
  deletions,
  keys,
  reuseGraceSeconds,
  now,
}: MaintenanceServiceDeps) {
  /** Repeats a bounded statement until no row is left. The lock ends with each transaction. */
  const sweep = (name: string, step: (trx: AuthTransaction, limit: number) => Promise<number>) =>
    inBatches(BATCH, (limit) =>
      database.db
        .transaction()
        .execute(async (trx) => ((await tryLockAdvisory(trx, `auth.maintenance.${name}`)) ? step(trx, limit) : 0)),
    );

  return {
    async cleanUpTokens(): Promise<Pick<MaintenanceReport, "expiredTokens" | "sessions" | "sealedSuccessors">> {
      return {
        expiredTokens: await sweep("tokens", deleteExpiredTokens),
        sessions: await sweep("sessions", deleteTokenlessSessions),
        sealedSuccessors: await sweep("successors", (trx, limit) =>
          deleteSealedSuccessors(trx, reuseGraceSeconds, limit),
        ),
      };
    },

    async run(): Promise<MaintenanceReport> {
      const tombstonesBefore = new Date(now().getTime() - TOMBSTONE_DAYS * 86_400_000);
      return {
        ...(await this.cleanUpTokens()),
        erasedAccounts: await inBatches(BATCH, (limit) => deletions.eraseExpired(limit)),
        tombstones: await sweep("tombstones", (trx, limit) => deleteTombstonesBefore(trx, tombstonesBefore, limit)),
        retiredKeys: (await keys.retireSuperseded()).length,
      };
    },
  };
}
