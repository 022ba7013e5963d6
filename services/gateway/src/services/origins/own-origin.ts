/** Returns whether an `Origin` header has the scheme and host that the request was sent to. */
export function isOwnOrigin(origin: string, protocol: string, host: string): boolean {
  const own = `${protocol}://${host}`;
  // Like browsers, the parser removes the default port and lowercases the name.
  return URL.canParse(own) && new URL(own).origin === origin;
}
