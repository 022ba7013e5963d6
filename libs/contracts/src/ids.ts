import { uuidv7, UUID } from "uuidv7";

/** A new UUIDv7 (RFC 9562): sorts by the time it was made, to the millisecond. */
export function newId(): string {
  return uuidv7();
}

/** The moment in which a UUIDv7 was made. */
export function timeOfId(id: string): Date {
  const bytes = UUID.parse(id).bytes;
  let milliseconds = 0;
  for (const byte of bytes.subarray(0, 6)) milliseconds = milliseconds * 256 + byte;
  return new Date(milliseconds);
}
