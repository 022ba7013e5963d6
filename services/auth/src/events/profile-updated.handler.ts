import { type GatehouseEvent, profileChangesOf } from "@gatehouse/contracts";
import type { AuthHandle } from "../db/database.ts";
import { setProfileIfNewer } from "../repositories/accounts/account.repository.ts";

/** Keeps the profile that login answers with. It raises no version and writes no event: the fact is the user service's. */
export const onProfileUpdated =
  (db: AuthHandle) =>
  async ({ subject, version, data }: GatehouseEvent<"user.profile.updated">): Promise<void> => {
    await setProfileIfNewer(db, subject, profileChangesOf(data), version ?? 0);
  };
