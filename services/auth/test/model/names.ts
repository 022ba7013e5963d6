import type { LightMyRequestResponse } from "fastify";
import { decodeJwt } from "jose";
import { newRefreshToken } from "../../src/services/sessions/refresh-token.ts";
import { refreshCookieOf } from "../fixtures.ts";
import type { Answer, Command, TokenName } from "./commands.ts";

/** The service's values for the symbols of one run. */
export interface Names {
  /** The users' ids. */
  readonly users: Map<string, string>;
  /** The sessions' ids. */
  readonly sessions: Map<string, string>;
  /** The tokens by symbol, for example `s1.2`. */
  readonly refreshTokens: Map<string, string>;
  /** Every access token of a session, oldest first. */
  readonly accessTokens: Map<string, string[]>;
}

/** Return a user's nth email and nth password. */
export const emailOf = (userId: string, nth: number) => `${nth}.${userId}@example.com`;
export const nthOfEmail = (email: string) => Number.parseInt(email, 10);
export const passwordOf = (nth: number) => `Password-${nth}`;

/** Returns the token as a client presents it. */
export function secretOf({ refreshTokens }: Names, token: TokenName): string {
  if (token === "malformed") return "malformed token";
  if (token === "unknown") return newRefreshToken();
  const secret = refreshTokens.get(`${token.session}.${token.generation}`);
  if (secret === undefined) throw new Error(`The service issued no token ${token.session}.${token.generation}`);
  return secret;
}

/** Returns a response in the model's symbols. A new token is named after the token that was presented. */
export function toAnswer(names: Names, command: Command, response: LightMyRequestResponse): Answer {
  const cookie = refreshCookieOf(response);
  const answer = {
    status: response.statusCode,
    cookie:
      cookie === undefined ? ("untouched" as const) : cookie.value === "" ? ("cleared" as const) : ("set" as const),
  };
  if (response.statusCode >= 400) return { ...answer, error: response.json<{ type: string }>().type };
  const pair = command.is === "login" || command.is === "refresh";
  if (!pair) return answer;
  const { access_token: accessToken } = response.json<{ access_token: string }>();
  const claims = decodeJwt(accessToken);
  if (command.is === "login") names.sessions.set(command.session, String(claims["sid"]));
  const session = nameOf(names.sessions, String(claims["sid"]));
  names.accessTokens.set(session, [...(names.accessTokens.get(session) ?? []), accessToken]);
  return {
    ...answer,
    token: bindToken(names, nextName(command), cookie?.value ?? ""),
    access: `${session} version ${String(claims["token_version"])} ${String(claims["role"])}`,
  };
}

function nextName(command: Extract<Command, { is: "login" | "refresh" }>): string {
  if (command.is === "login") return `${command.session}.0`;
  const { token } = command;
  return typeof token === "string" ? `the successor of an ${token} token` : `${token.session}.${token.generation + 1}`;
}

/** Binds a name to one secret. A second successor of a token gets a name that the model does not have. */
function bindToken({ refreshTokens }: Names, name: string, secret: string): string {
  const bound = refreshTokens.get(name);
  if (bound !== undefined && bound !== secret) return `another ${name}`;
  const other = [...refreshTokens].find(([otherName, value]) => value === secret && otherName !== name);
  if (other) return `${other[0]} as ${name}`;
  refreshTokens.set(name, secret);
  return name;
}

/** Returns the symbol of a value, or the value itself when it has no symbol. */
export function nameOf(map: ReadonlyMap<string, string>, value: string): string {
  for (const [name, bound] of map) if (bound === value) return name;
  return value;
}
