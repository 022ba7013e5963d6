import type { ColumnType, Generated } from "kysely";
import type { PublicJwk } from "@gatehouse/contracts";

export interface SigningKeyTable {
  kid: string;
  algorithm: string;
  public_jwk: ColumnType<PublicJwk, string, never>;
  /** PKCS#8, sealed under JWT_SECRET_KEY; null once the key is retired. */
  sealed_private_key: Buffer | null;
  created_at: Generated<Date>;
  signs_from: Date;
  retired_at: Date | null;
}
