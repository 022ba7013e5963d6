import { type Account, type IntrospectionRequest, newId } from "@gatehouse/contracts";
import { AppError, type ErrorCode, problemHeaders, toProblem } from "@gatehouse/errors";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { webcrypto } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type AccountStore, executeCommand } from "./account-store.ts";

/*
 * A server that plays auth: the internal routes over HTTP, accounts in memory, and the faults that a test asks for.
 * It publishes no events; tests publish them in the order that they check.
 */

interface ReceivedCommand {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown>;
}

type Fault =
  | { kind: "lose-response" }
  | { kind: "error"; status: number; type: ErrorCode; retryAfter?: number }
  | { kind: "garbage" };

export interface TokenFor {
  readonly sub: string;
  readonly role?: string;
  readonly sid?: string;
}

export const INTERNAL_TOKEN = "internal-token-for-tests";
const ISSUER = "gatehouse";
const KID = "test-key";

export type AuthServer = Awaited<ReturnType<typeof startAuthServer>>;

export async function startAuthServer() {
  const keys = await generateKeyPair("EdDSA", { extractable: true });
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: KID, alg: "EdDSA", use: "sig" };
  const accounts: AccountStore = new Map();
  const commands: ReceivedCommand[] = [];
  const faults: Fault[] = [];
  let beforeResponse: ((account: Account) => Promise<void>) | undefined;

  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    if (path === "/.well-known/jwks.json") return send(response, 200, { keys: [jwk] });
    const body = await readJson(request);
    if (path === "/internal/introspect") return send(response, 200, introspect(body as IntrospectionRequest));
    commands.push({ method: request.method ?? "", path, headers: request.headers, body: body as never });
    if (request.headers.authorization !== `Bearer ${INTERNAL_TOKEN}`)
      return sendError(response, new AppError("AuthenticationError"));
    const fault = faults.shift();
    if (fault?.kind === "error") return sendError(response, new AppError(fault.type, fault));
    if (fault?.kind === "garbage") return send(response, 200, { surprise: true });
    try {
      const result = executeCommand(accounts, request.method ?? "", path, body);
      const account = accounts.get(result.id);
      if (account) await beforeResponse?.(account);
      if (fault?.kind === "lose-response") return void request.socket.destroy();
      send(response, request.method === "POST" && path === "/internal/accounts" ? 201 : 200, result);
    } catch (error) {
      sendError(response, error as AppError);
    }
  }

  return {
    url: `http://127.0.0.1:${port}`,
    accounts,
    commands,
    /** Each fault breaks one of the next commands, in this order. */
    breakNext: (...next: Fault[]) => void faults.push(...next),
    forgetFaults: () => void faults.splice(0),
    /** Runs after the account is stored and before the response is sent, so that a test can publish events first. */
    onCommitted(hook: ((account: Account) => Promise<void>) | undefined) {
      beforeResponse = hook;
    },
    token: (claims: TokenFor) => signAccessToken(keys.privateKey, claims),
    async stop() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Signs an access token as auth does. */
function signAccessToken(key: webcrypto.CryptoKey, { sub, role = "user", sid = newId() }: TokenFor): Promise<string> {
  return new SignJWT({ sid, role, client_id: "gatehouse", token_version: 1 })
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: KID })
    .setIssuer(ISSUER)
    .setAudience(ISSUER)
    .setSubject(sub)
    .setJti(newId())
    .setIssuedAt()
    .setExpirationTime("15 minutes")
    .sign(key);
}

/** Reports every token as valid. The tests of libs/access cover revocation. */
function introspect({ tokens }: IntrospectionRequest) {
  return { results: tokens.map(() => ({ active: true, session_ended: false, least_token_version: 1 })) };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString() || "{}");
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function sendError(response: ServerResponse, error: AppError): void {
  response.writeHead(error.status, problemHeaders(error)).end(JSON.stringify(toProblem(error, newId())));
}
