import { createHash, randomBytes } from "node:crypto";
import { seal, unseal } from "../keys/sealed-box.ts";

const TOKEN_BYTES = 32;
const TOKEN_SHAPE = /^[\w-]{43}$/;
const SUCCESSOR = "refresh-successor";

/** Returns a new refresh token: 256 random bits, base64url (docs/reference/tokens.md). */
export function newRefreshToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

export function hasRefreshTokenShape(token: string): boolean {
  return TOKEN_SHAPE.test(token);
}

/** Returns the stored form of a token. A token has full entropy, so a plain SHA-256 is enough. */
export function hashRefreshToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Seals the successor under its predecessor, so a stolen database reveals no token. */
export function sealSuccessor(successor: string, predecessor: string): Buffer {
  return seal(Buffer.from(successor), predecessor, SUCCESSOR);
}

export function unsealSuccessor(box: Uint8Array, predecessor: string): string | undefined {
  return unseal(box, predecessor, SUCCESSOR)?.toString();
}
