import { createHash, randomBytes } from "node:crypto";
import { seal, unseal } from "../keys/sealed-box.ts";

const TOKEN_BYTES = 32;
const TOKEN_SHAPE = /^[\w-]{43}$/;
const SUCCESSOR = "refresh-successor";

/** A fresh refresh token: 256 random bits, base64url (contract, section 4). */
export function newRefreshToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

export function hasRefreshTokenShape(token: string): boolean {
  return TOKEN_SHAPE.test(token);
}

/** What is stored of a token. It has full entropy, so a plain SHA-256 is enough. */
export function hashRefreshToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Seals the successor under its predecessor: who stole the database opens nothing. */
export function sealSuccessor(successor: string, predecessor: string): Buffer {
  return seal(Buffer.from(successor), predecessor, SUCCESSOR);
}

export function unsealSuccessor(box: Uint8Array, predecessor: string): string | undefined {
  return unseal(box, predecessor, SUCCESSOR)?.toString();
}
