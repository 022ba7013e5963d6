import { REFRESH_COOKIE } from "@gatehouse/contracts";

/** Returns the header that clears the refresh cookie. A browser needs the attributes that auth set the cookie with. */
export function clearedRefreshCookie(secure: boolean): string {
  const { name, path } = REFRESH_COOKIE;
  return `${name}=; Max-Age=0; Path=${path}; HttpOnly;${secure ? " Secure;" : ""} SameSite=Strict`;
}
