import {
  type Account,
  type CreateAccountCommand,
  type DeleteAccountCommand,
  type IntrospectionRequest,
  newId,
  timeOfId,
  type UpdateAccountCommand,
} from "@gatehouse/contracts";
import { AppError, type ErrorCode, problemHeaders, toProblem } from "@gatehouse/errors";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

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
  const accounts = new Map<string, Account>();
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
      const answer = execute(request.method ?? "", path, body);
      const account = accounts.get(answer.id);
      if (account) await beforeResponse?.(account);
      if (fault?.kind === "lose-response") return void request.socket.destroy();
      send(response, request.method === "POST" && path === "/internal/accounts" ? 201 : 200, answer);
    } catch (error) {
      sendError(response, error as AppError);
    }
  }

  function execute(method: string, path: string, body: unknown): { id: string } {
    const [, id = "", action] = /^\/internal\/accounts(?:\/([^/]+)(?:\/(\w+))?)?$/.exec(path) ?? [];
    if (method === "POST" && id === "") return create(body as CreateAccountCommand);
    if (method === "PATCH") return update(id, body as UpdateAccountCommand);
    if (action === "delete") return remove(id, body as DeleteAccountCommand);
    return restore(id);
  }

  function create({ id, email, role, is_active, is_verified }: CreateAccountCommand): Account {
    const present = accounts.get(id);
    if (present?.email === email) return present;
    checkEmail(id, email);
    const now = timeOfId(id).toISOString();
    return put({
      id,
      email,
      role,
      is_active,
      is_verified,
      token_version: 1,
      version: 1,
      created_at: now,
      updated_at: now,
      deleted_at: null,
    });
  }

  function update(id: string, { on_behalf_of: _onBehalfOf, password, ...changes }: UpdateAccountCommand): Account {
    const account = live(id);
    if (changes.email !== undefined) checkEmail(id, changes.email);
    const differs = Object.entries(changes).some(([field, value]) => account[field as keyof Account] !== value);
    return differs || password !== undefined ? put(raised(account, changes as Partial<Account>)) : account;
  }

  function remove(id: string, { soft, password }: DeleteAccountCommand) {
    const account = soft ? live(id) : found(id);
    if (password === "wrong") throw new AppError("InvalidCredentials");
    const deleted_at = soft ? new Date().toISOString() : null;
    const after = put(raised(account, { deleted_at, token_version: account.token_version + 1 }));
    if (!soft) accounts.delete(id);
    return { id, version: after.version, deleted_at };
  }

  function restore(id: string): Account {
    const account = found(id);
    if (account.deleted_at === null) return account;
    checkEmail(id, account.email);
    return put(raised(account, { deleted_at: null }));
  }

  function raised(account: Account, changes: Partial<Account>): Account {
    return { ...account, ...changes, version: account.version + 1, updated_at: new Date().toISOString() };
  }

  function found(id: string): Account {
    const account = accounts.get(id);
    if (account === undefined) throw new AppError("UserNotFound");
    return account;
  }

  function live(id: string): Account {
    const account = found(id);
    if (account.deleted_at !== null) throw new AppError("UserNotFound");
    return account;
  }

  function checkEmail(id: string, email: string): void {
    for (const other of accounts.values())
      if (other.email === email && other.id !== id && other.deleted_at === null)
        throw new AppError("EmailAlreadyExists");
  }

  function put(account: Account): Account {
    accounts.set(account.id, account);
    return account;
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
    /** Signs an access token as auth does. */
    token: ({ sub, role = "user", sid = newId() }: TokenFor) =>
      new SignJWT({ sid, role, client_id: "gatehouse", token_version: 1 })
        .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: KID })
        .setIssuer(ISSUER)
        .setAudience(ISSUER)
        .setSubject(sub)
        .setJti(newId())
        .setIssuedAt()
        .setExpirationTime("15 minutes")
        .sign(keys.privateKey),
    async stop() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
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
