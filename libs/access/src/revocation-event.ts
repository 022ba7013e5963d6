import { type GatehouseEvent, parseEvent } from "@gatehouse/contracts";
import type { RevocationView } from "./revocation-view.ts";

/** Enters what an event revokes. An event that revokes nothing changes nothing. @throws EventFormatError */
export function applyRevocation(view: RevocationView, data: Uint8Array): void {
  const event: GatehouseEvent = parseEvent(JSON.parse(Buffer.from(data).toString()));
  switch (event.type) {
    case "auth.account.deleted":
    case "auth.password.changed":
    case "auth.sessions.revoked": {
      const { user_id, token_version } = event.data as { user_id: string; token_version: number };
      return view.raiseVersion(user_id, token_version);
    }
    case "auth.session.revoked":
      return view.endSession((event.data as { session_id: string }).session_id);
    case "auth.key.retired":
      return view.retireKey((event.data as { kid: string }).kid);
    default:
  }
}
