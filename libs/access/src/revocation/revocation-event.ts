import { type EventData, type GatehouseEvent, parseEvent } from "@gatehouse/contracts";
import type { RevocationView } from "./revocation-view.ts";

type RaisingData = EventData<"auth.account.deleted" | "auth.password.changed" | "auth.sessions.revoked">;

/** Returns a watermark's time, from auth's database, in milliseconds since 1970. @throws EventFormatError, SyntaxError */
export function readWatermark(message: Uint8Array): number {
  const { data } = parseEvent(JSON.parse(Buffer.from(message).toString()));
  return Date.parse((data as EventData<"auth.watermark">).as_of);
}

/**
 * Applies what an event revokes to the view and returns the event.
 * @throws EventFormatError, SyntaxError
 */
export function applyRevocation(view: RevocationView, message: Uint8Array): GatehouseEvent {
  const event = parseEvent(JSON.parse(Buffer.from(message).toString()));
  revoke(view, event);
  return event;
}

function revoke(view: RevocationView, { type, data }: GatehouseEvent): void {
  switch (type) {
    case "auth.account.deleted":
    case "auth.password.changed":
    case "auth.sessions.revoked": {
      const { user_id, token_version } = data as RaisingData;
      return view.raiseVersion(user_id, token_version);
    }
    case "auth.session.revoked":
      return view.endSession((data as EventData<"auth.session.revoked">).session_id);
    case "auth.key.retired":
      return view.retireKey((data as EventData<"auth.key.retired">).kid);
    default:
  }
}
