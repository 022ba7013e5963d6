import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/**
 * Encrypts small secrets at rest: AES-256-GCM under a key derived by HKDF-SHA256 (RFC 5869).
 * Layout: format (1 byte), nonce (12), tag (16), ciphertext. `purpose` separates the uses of one secret.
 */
const FORMAT = 1;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const HEADER_LENGTH = 1 + NONCE_LENGTH + TAG_LENGTH;

export function seal(plaintext: Uint8Array, secret: string | Uint8Array, purpose: string): Buffer {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv("aes-256-gcm", deriveKey(secret, purpose), nonce);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.getAuthTag(), ciphertext]);
}

/** Returns the plaintext, or undefined when `secret` does not open the box or the box was altered. */
export function unseal(box: Uint8Array, secret: string | Uint8Array, purpose: string): Buffer | undefined {
  if (box.length < HEADER_LENGTH || box[0] !== FORMAT) return undefined;
  const nonce = box.subarray(1, 1 + NONCE_LENGTH);
  const decipher = createDecipheriv("aes-256-gcm", deriveKey(secret, purpose), nonce, { authTagLength: TAG_LENGTH });
  decipher.setAuthTag(box.subarray(1 + NONCE_LENGTH, HEADER_LENGTH));
  try {
    return Buffer.concat([decipher.update(box.subarray(HEADER_LENGTH)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function deriveKey(secret: string | Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "gatehouse", purpose, 32));
}
