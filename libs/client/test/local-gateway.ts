import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

interface Received {
  readonly method: string;
  readonly url: string;
  readonly bearer: string | undefined;
  readonly cookie: string | undefined;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LocalGateway {
  readonly url: string;
  readonly received: Received[];
  /** Decides every answer from here on. */
  answer: (request: Received) => Reply | Promise<Reply>;
  close(): Promise<void>;
}

/** A real HTTP server that answers as a test wants it. */
export async function startLocalGateway(): Promise<LocalGateway> {
  const server = createServer((request, response) => {
    void (async () => {
      const received = {
        method: request.method ?? "",
        url: request.url ?? "",
        bearer: request.headers.authorization?.replace("Bearer ", ""),
        cookie: request.headers.cookie,
        body: await text(request),
      };
      gateway.received.push(received);
      const { status, json, headers } = await gateway.answer(received);
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(json === undefined ? undefined : JSON.stringify(json));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const gateway: LocalGateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    answer: () => ({ status: 204 }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return gateway;
}

export function problem(status: number, type: string, headers: Record<string, string> = {}): Reply {
  const json = { type, title: type, status, detail: `it is ${type}`, correlation_id: "c-1" };
  return { status, json, headers: { "content-type": "application/problem+json; charset=utf-8", ...headers } };
}

/** An answer to login or refresh. */
export function tokensReply(access: string, refresh: string): Reply {
  return {
    status: 200,
    json: { access_token: access, token_type: "bearer", expires_in: 900, user: { id: "u-1" } },
    headers: { "set-cookie": `refresh_token=${refresh}; Path=/v1/auth; HttpOnly; SameSite=Strict; Max-Age=604800` },
  };
}
