import type { Generated } from "kysely";

/** A session ends once, and all its tokens end with it. */
export interface SessionTable {
  id: string;
  user_id: string;
  device_id: string | null;
  device_name: string | null;
  ip_address: string | null;
  created_at: Generated<Date>;
  last_used_at: Generated<Date>;
  ended_at: Date | null;
  reason: string | null;
}
