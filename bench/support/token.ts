/** The claims of an access token, unverified: the bench only looks at its own. */
export function decodeClaims(token: string): { readonly sub: string; readonly sid: string } {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { sub: string; sid: string };
}
