import { z } from "zod";
import { safeText, uuid } from "../fields.ts";

/**
 * `POST /internal/introspect` of auth, with INTROSPECTION_TOKEN as bearer (after RFC 7662, batched).
 * The caller has checked the signature; auth says whether what the token claims still holds.
 */
export const INTROSPECTION_BATCH_MAX = 500;

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

/** One answer a token, in the order of the request. `session_ended` and `least_token_version` say what to enter in the view. */
export const IntrospectionResult = z.object({
  active: z.boolean(),
  session_ended: z.boolean(),
  /** The user's token_version now; null when the account is gone. */
  least_token_version: z.int().nullable(),
});
export type IntrospectionResult = z.output<typeof IntrospectionResult>;

export const IntrospectionResponse = z.object({ results: z.array(IntrospectionResult) });
export type IntrospectionResponse = z.output<typeof IntrospectionResponse>;
