/** Only the SHA-256 of a token is stored. `sealed_successor` is sealed under the token itself, which only its client has. */
export interface RefreshTokenTable {
  id: string;
  session_id: string;
  user_id: string;
  token_hash: Buffer;
  expires_at: Date;
  revoked_at: Date | null;
  replaced_by: string | null;
  sealed_successor: Buffer | null;
}
