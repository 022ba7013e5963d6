/** Somebody who is logged in, as a client holds it. */
export interface Session {
  readonly email: string;
  token: string;
  cookie: string;
  /** Requests on their way. */
  busy: number;
  /** Whether its tokens are being changed or given up, so that nothing else may use them. */
  reserved: boolean;
}

/** What a token says of itself, unverified; `exp` in seconds since 1970. */
export function readToken(token: string): { readonly kid: string; readonly exp: number } {
  const [header = "", claims = ""] = token.split(".").map((part) => Buffer.from(part, "base64url").toString());
  const { kid } = JSON.parse(header) as { kid: string };
  const { exp } = JSON.parse(claims) as { exp: number };
  return { kid, exp };
}

/** Seconds of life that a token has left. */
export function secondsLeft({ token }: Session, now: number): number {
  return readToken(token).exp - now / 1_000;
}
