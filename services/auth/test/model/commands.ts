/** The commands and answers of the service, in the model's symbols (`session-model.ts`). */

export type Role = "user" | "admin";

export type TokenName = { readonly session: string; readonly generation: number } | "unknown" | "malformed";

/** `bearer` names the session whose newest access token the command carries. */
export type Command =
  | {
      readonly is: "login";
      readonly user: string;
      readonly email: number;
      readonly password: number;
      readonly session: string;
    }
  | { readonly is: "refresh"; readonly token: TokenName }
  | { readonly is: "logoutByBearer"; readonly bearer: string }
  | { readonly is: "logoutByCookie"; readonly token: TokenName }
  | { readonly is: "logoutAll"; readonly bearer: string }
  | { readonly is: "removeSession"; readonly bearer: string; readonly session: string }
  | { readonly is: "changePassword"; readonly bearer: string; readonly password: number; readonly next: number }
  | { readonly is: "deleteSelf"; readonly bearer: string; readonly password: number }
  | { readonly is: "setPassword"; readonly user: string; readonly next: number }
  | { readonly is: "setActive"; readonly user: string; readonly isActive: boolean }
  | { readonly is: "setRole"; readonly user: string; readonly role: Role }
  | { readonly is: "setEmail"; readonly user: string; readonly next: number }
  | { readonly is: "setVerified"; readonly user: string; readonly isVerified: boolean }
  | { readonly is: "restore"; readonly user: string }
  | { readonly is: "passTime"; readonly session: string; readonly seconds: number }
  | { readonly is: "cleanUp" };

export interface Answer {
  readonly status: number;
  /** The problem's type. */
  readonly error?: string;
  readonly cookie: "set" | "cleared" | "untouched";
  /** The new refresh token, for example `s1.2`. */
  readonly token?: string;
  /** The claims of the new access token, for example `s1 version 1 user`. */
  readonly access?: string;
}
