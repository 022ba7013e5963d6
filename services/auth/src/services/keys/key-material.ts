import type { PublicJwk } from "@gatehouse/contracts";
import { OperatorError } from "@gatehouse/errors";
import {
  calculateJwkThumbprint,
  type CryptoKey,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importJWK,
  importPKCS8,
} from "jose";
import type { NewKey, StoredKey } from "../../repositories/keys/signing-key.repository.ts";
import { seal, unseal } from "./sealed-box.ts";

export const SIGNING_ALGORITHMS = ["EdDSA", "ES256", "RS256"] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

const SEALING_PURPOSE = "signing-key";

export interface LoadedKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicJwk: PublicJwk;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
  readonly signsFrom: Date;
}

/** Returns a new key pair, its private key sealed under the first secret. Its kid is its thumbprint (RFC 7638). */
export async function generateKey(
  algorithm: SigningAlgorithm,
  secrets: readonly string[],
): Promise<Omit<NewKey, "signsFrom">> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const pkcs8 = Buffer.from(await exportPKCS8(privateKey));
  return {
    kid,
    algorithm,
    publicJwk: { ...jwk, kty: jwk.kty ?? "", kid, alg: algorithm, use: "sig" as const },
    sealedPrivateKey: seal(pkcs8, firstOf(secrets), SEALING_PURPOSE),
  };
}

/** Returns the key ready for signing and verifying. @throws OperatorError when no secret opens its private key */
export async function openKey(stored: StoredKey, secrets: readonly string[]): Promise<LoadedKey> {
  const algorithm = stored.algorithm as SigningAlgorithm;
  const pkcs8 = unsealWithAny(stored, secrets)?.plaintext;
  if (!pkcs8)
    throw new OperatorError(
      `no value of JWT_SECRET_KEY opens the signing key ${stored.kid}: add the former value to the end of the list`,
    );
  return {
    kid: stored.kid,
    algorithm,
    publicJwk: stored.publicJwk,
    publicKey: (await importJWK(stored.publicJwk, algorithm)) as CryptoKey,
    privateKey: await importPKCS8(pkcs8.toString(), algorithm),
    signsFrom: stored.signsFrom,
  };
}

/** Returns the private key sealed under the first secret, or undefined when it already is or no secret opens it. */
export function resealPrivateKey(stored: StoredKey, secrets: readonly string[]): Buffer | undefined {
  const opened = unsealWithAny(stored, secrets);
  if (opened === undefined || opened.secret === firstOf(secrets)) return undefined;
  return seal(opened.plaintext, firstOf(secrets), SEALING_PURPOSE);
}

function unsealWithAny(
  { sealedPrivateKey }: StoredKey,
  secrets: readonly string[],
): { plaintext: Buffer; secret: string } | undefined {
  if (sealedPrivateKey === null) return undefined;
  for (const secret of secrets) {
    const plaintext = unseal(sealedPrivateKey, secret, SEALING_PURPOSE);
    if (plaintext) return { plaintext, secret };
  }
  return undefined;
}

function firstOf(secrets: readonly string[]): string {
  const [first] = secrets;
  if (first === undefined) throw new Error("JWT_SECRET_KEY is empty");
  return first;
}
