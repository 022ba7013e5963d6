import { uuidv7, UUID } from "uuidv7";

/** Returns a new UUIDv7 (RFC 9562). Ids sort by creation time, to the millisecond. */
export function newId(): string {
  return uuidv7();
}

/** Returns the time at which a UUIDv7 was created, to the millisecond. */
export function timeOfId(id: string): Date {
  const bytes = UUID.parse(id).bytes;
  let milliseconds = 0;
  for (const byte of bytes.subarray(0, 6)) milliseconds = milliseconds * 256 + byte;
  return new Date(milliseconds);
}
