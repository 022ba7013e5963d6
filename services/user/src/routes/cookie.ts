import { REFRESH_COOKIE } from "@gatehouse/contracts";

/** Clears the refresh cookie. A browser does that only for the attributes that auth set it with. */
export function clearedRefreshCookie(secure: boolean): string {
  const { name, path } = REFRESH_COOKIE;
  return `${name}=; Max-Age=0; Path=${path}; HttpOnly;${secure ? " Secure;" : ""} SameSite=Strict`;
}
