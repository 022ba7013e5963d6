import { createEvent } from "@gatehouse/messaging";
import type { UserTransact } from "../db/database.ts";
import { lockUserRecord, setUserRecord, type UserRecord } from "../repositories/user-record.repository.ts";
import type { User } from "../repositories/user.repository.ts";
import type { Change, UserEvent } from "./user-rules.ts";

export interface UserRecordServiceDeps {
  readonly transact: UserTransact;
}

/** The only writer of users. */
export interface UserRecordService {
  /**
   * Applies a rule to the record of `id` and writes its events, in one transaction that excludes all other writers of `id`.
   * `actor` is the id of the user who causes the change.
   * @returns the user after the change; undefined when none exists
   */
  change(id: string, actor: string | undefined, rule: (record: UserRecord) => Change): Promise<User | undefined>;
}

export function createUserRecordService({ transact }: UserRecordServiceDeps): UserRecordService {
  return {
    change: (id, actor, rule) =>
      transact(async (trx, emit) => {
        const before = await lockUserRecord(trx, id);
        const { record, events } = rule(before);
        await setUserRecord(trx, id, before, record);
        for (const event of events) emit(toEvent(id, event, actor));
        return record.user;
      }),
  };
}

function toEvent(id: string, { type, version, data }: UserEvent, actor: string | undefined) {
  return createEvent({ source: "user", type, subject: id, version, data, ...(actor !== undefined && { actor }) });
}
