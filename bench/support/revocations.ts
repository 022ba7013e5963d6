import { login, PASSWORD, send, type Session } from "./client.ts";
import { decodeClaims } from "./token.ts";

/** Ends the session of `user`, at the gateway `url`. @returns the status */
export type Revocation = (url: string, user: Session, admin: Session) => Promise<number>;

const asAdmin =
  (method: string, json?: unknown): Revocation =>
  (url, user, admin) =>
    send(url, method, `/v1/admin/users/${user.id}`, admin.token, json);

/** What ends access tokens, by name. */
export const REVOCATIONS: Readonly<Record<string, Revocation>> = {
  logout: (url, user) => send(url, "POST", "/v1/auth/logout", user.token),
  "logout-all": (url, user) => send(url, "POST", "/v1/auth/logout-all", user.token),
  "change password": (url, user) =>
    send(url, "POST", "/v1/auth/change-password", user.token, {
      current_password: PASSWORD,
      new_password: "Battery-Staple-2",
    }),
  deactivate: asAdmin("PATCH", { is_active: false }),
  "role change": asAdmin("PATCH", { role: "admin" }),
  delete: asAdmin("DELETE"),
  "session removed": async (url, user) => {
    const other = await login(url, user.email);
    return send(url, "DELETE", `/v1/auth/sessions/${decodeClaims(user.token).sid}`, other.token);
  },
};
