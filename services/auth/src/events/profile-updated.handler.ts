import { type GatehouseEvent, profileChangesOf } from "@gatehouse/contracts";
import type { AuthHandle } from "../db/database.ts";
import { setProfileIfNewer } from "../repositories/accounts/account.repository.ts";

/** Stores the profile that login returns. The user service owns it, so this raises no version and writes no event. */
export const onProfileUpdated =
  (db: AuthHandle) =>
  async ({ subject, version, data }: GatehouseEvent<"user.profile.updated">): Promise<void> => {
    await setProfileIfNewer(db, subject, profileChangesOf(data), version ?? 0);
  };
