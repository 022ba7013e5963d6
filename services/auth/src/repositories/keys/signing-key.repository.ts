import type { PublicJwk } from "@gatehouse/contracts";
import { type Selectable, sql } from "kysely";
import type { AuthHandle, AuthTransaction } from "../../db/database.ts";
import type { SigningKeyTable } from "../../db/tables/signing-key.table.ts";

export interface StoredKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly publicJwk: PublicJwk;
  readonly sealedPrivateKey: Buffer | null;
  readonly createdAt: Date;
  readonly signsFrom: Date;
  readonly retiredAt: Date | null;
}

function toStoredKey(row: Selectable<SigningKeyTable>): StoredKey {
  return {
    kid: row.kid,
    algorithm: row.algorithm,
    publicJwk: row.public_jwk,
    sealedPrivateKey: row.sealed_private_key,
    createdAt: row.created_at,
    signsFrom: row.signs_from,
    retiredAt: row.retired_at,
  };
}

/** Lists every key that is not retired, latest `signsFrom` first. */
export async function listKeys(db: AuthHandle): Promise<StoredKey[]> {
  const rows = await db
    .selectFrom("signing_keys")
    .selectAll()
    .where("retired_at", "is", null)
    .orderBy("signs_from", "desc")
    .orderBy("kid")
    .execute();
  return rows.map(toStoredKey);
}

export interface NewKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly publicJwk: PublicJwk;
  readonly sealedPrivateKey: Buffer;
  readonly signsFrom: Date;
}

export async function insertKey(trx: AuthTransaction, key: NewKey): Promise<void> {
  await trx
    .insertInto("signing_keys")
    .values({
      kid: key.kid,
      algorithm: key.algorithm,
      public_jwk: JSON.stringify(key.publicJwk),
      sealed_private_key: key.sealedPrivateKey,
      signs_from: key.signsFrom,
    })
    .execute();
}

export async function setSealedPrivateKey(db: AuthHandle, kid: string, sealedPrivateKey: Buffer): Promise<void> {
  await db
    .updateTable("signing_keys")
    .set({ sealed_private_key: sealedPrivateKey })
    .where("kid", "=", kid)
    .where("retired_at", "is", null)
    .execute();
}

/** Retires a key and deletes its private key. Returns false when it was already retired. */
export async function setKeyRetired(trx: AuthTransaction, kid: string): Promise<boolean> {
  const result = await trx
    .updateTable("signing_keys")
    .set({ retired_at: sql`now()`, sealed_private_key: null })
    .where("kid", "=", kid)
    .where("retired_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
