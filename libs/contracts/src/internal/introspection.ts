import { z } from "zod";
import { safeText, uuid } from "../fields.ts";

/**
 * `POST /internal/introspect` of auth with INTROSPECTION_TOKEN as bearer (a batched form of RFC 7662).
 * The caller has verified the signatures; auth reports whether the tokens are revoked.
 */
export const INTROSPECTION_BATCH_MAX = 500;
/** Bytes of a body with the largest batch: at most 1 KiB for each token. */
export const INTROSPECTION_BODY_BYTES = INTROSPECTION_BATCH_MAX * 1024;

export const IntrospectionClaims = z.strictObject({
  sub: uuid(),
  sid: uuid(),
  token_version: z.int(),
  kid: safeText().max(100),
});
export type IntrospectionClaims = z.output<typeof IntrospectionClaims>;

export const IntrospectionRequest = z.strictObject({
  tokens: z.array(IntrospectionClaims).min(1).max(INTROSPECTION_BATCH_MAX),
});
export type IntrospectionRequest = z.output<typeof IntrospectionRequest>;

/** The result for one token. Results have the order of the request; callers update their revocation view from them. */
export const IntrospectionResult = z.object({
  active: z.boolean(),
  session_ended: z.boolean(),
  /** The user's current token_version; null when the account does not exist. */
  least_token_version: z.int().nullable(),
});
export type IntrospectionResult = z.output<typeof IntrospectionResult>;

export const IntrospectionResponse = z.object({ results: z.array(IntrospectionResult) });
export type IntrospectionResponse = z.output<typeof IntrospectionResponse>;
