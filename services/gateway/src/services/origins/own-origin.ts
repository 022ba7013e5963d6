/** Whether an `Origin` header is that of the scheme and host under which the gateway itself was called. */
export function isOwnOrigin(origin: string, protocol: string, host: string): boolean {
  const own = `${protocol}://${host}`;
  // The parser drops the scheme's default port and lower-cases the name, as browsers do in the header.
  return URL.canParse(own) && new URL(own).origin === origin;
}
