import type { GatehouseEvent } from "@gatehouse/contracts";
import type { AuthHandle } from "../db/database.ts";
import { setFullNameIfNewer } from "../repositories/accounts/account.repository.ts";

/** Keeps the name that login answers with. It raises no version and writes no event: the fact is the user service's. */
export const onProfileUpdated =
  (db: AuthHandle) =>
  async ({ subject, version, data }: GatehouseEvent<"user.profile.updated">): Promise<void> => {
    await setFullNameIfNewer(db, subject, data.full_name, version ?? 0);
  };
