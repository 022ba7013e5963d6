import { z } from "zod";
import {
  deviceIdInput,
  deviceNameInput,
  LIMITS,
  passwordInput,
  passwordToVerify,
  safeText,
  timestamp,
  uuid,
} from "../fields.ts";
import { User } from "./user.ts";

/** The OAuth2 password form (RFC 6749, section 4.3.2); the protocol's other fields are accepted and ignored. */
export const LoginForm = z.strictObject({
  username: safeText(LIMITS.email),
  password: passwordToVerify(),
  grant_type: z.string().optional(),
  scope: z.string().optional(),
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
  device_name: deviceNameInput(),
  device_id: deviceIdInput(),
});
export type LoginForm = z.output<typeof LoginForm>;

const accessTokenFields = {
  access_token: z.string(),
  token_type: z.literal("bearer"),
  /** The lifetime of the access token in seconds. */
  expires_in: z.int(),
};

export const RefreshResponse = z.object(accessTokenFields).meta({ id: "AccessToken" });
export type RefreshResponse = z.output<typeof RefreshResponse>;

export const LoginResponse = z.object({ ...accessTokenFields, user: User }).meta({ id: "Login" });
export type LoginResponse = z.output<typeof LoginResponse>;

export const ChangePasswordBody = z.strictObject({
  current_password: passwordToVerify(),
  new_password: passwordInput(),
});

export const Session = z
  .object({
    id: z.string(),
    device_id: z.string().nullable(),
    device_name: z.string().nullable(),
    ip_address: z.string().nullable(),
    created_at: timestamp(),
    last_used_at: timestamp(),
    current: z.boolean(),
  })
  .meta({ id: "Session" });
export type Session = z.output<typeof Session>;

export const SessionList = z.object({ items: z.array(Session) }).meta({ id: "SessionList" });
export type SessionList = z.output<typeof SessionList>;

export const SessionIdParams = z.object({ id: uuid() });

/** A public key (RFC 7517). The members that hold it depend on `kty`. */
const PublicJwk = z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.literal("sig") });
export type PublicJwk = z.output<typeof PublicJwk>;

export const Jwks = z.object({ keys: z.array(PublicJwk) }).meta({ id: "Jwks" });

/** The name and the path of the refresh cookie (docs/reference/tokens.md). */
export const REFRESH_COOKIE = { name: "refresh_token", path: "/v1/auth" } as const;
