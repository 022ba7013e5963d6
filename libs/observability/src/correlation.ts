import { uuidv7 } from "uuidv7";

const CORRELATION_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** The caller's correlation id when it is well formed, else a new UUIDv7 (contract, section 5). */
export function correlationIdFrom(header: string | undefined): string {
  return header !== undefined && CORRELATION_ID.test(header) ? header : uuidv7();
}
