import { createHttpCalls, type OutgoingRequest } from "@gatehouse/observability";
import { type Dispatcher, Pool } from "undici";
import { createAttempts, type Retry } from "./attempts.ts";
import { connectWithin } from "./connect-within.ts";
import { createRotation, isLeaving, LEAVING_REST_MS } from "./rotation.ts";

const CONNECTIONS_PER_REPLICA = 256;
// Shorter than a server keeps idle connections (72 s here) and than it drains, so that no request meets a connection
// that is being closed. It also caps the server's own keep-alive hint.
const IDLE_CONNECTION_MS = 1_000;

export interface UpstreamDeps {
  /** The replicas' base URLs; only their origins count. */
  readonly urls: readonly string[];
  readonly connectTimeoutMs?: number;
  /** The longest wait for the response's head, and for each next part of its body. */
  readonly responseTimeoutMs?: number;
  /** How long a replica that failed is tried after the others. */
  readonly restMs?: number;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

export interface UpstreamRequest extends Pick<Dispatcher.RequestOptions, "path" | "method" | "body"> {
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  /** The path as a pattern, for telemetry; the path itself unless given. It must not contain a client's input. */
  readonly template?: string;
  /** Default: `broken` for GET and HEAD, `unsent` for other methods. */
  readonly retry?: Retry;
  /** For each attempt as a whole, the body included. Default: none besides the timeouts of the upstream. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly links?: OutgoingRequest["links"];
  /** How often the caller has sent this request before. */
  readonly resends?: number;
}

export type UpstreamResponse = Dispatcher.ResponseData;

/** One service with all its replicas. */
export interface Upstream {
  /**
   * Sends a request to the next replica and returns what `read` makes of the response. `read` must consume the body, or
   * return it; when it throws, the attempt has failed. Headers of correlation and trace are added to each attempt.
   * @throws UpstreamError when no replica served the request
   */
  send<T>(request: UpstreamRequest, read: (response: UpstreamResponse) => T | Promise<T>): Promise<T>;
  /** Sends a GET to each replica, without telemetry. Undefined for a replica that returns no JSON within the time. */
  probe(path: string, timeoutMs: number): Promise<({ status: number; body: unknown } | undefined)[]>;
  /** Closes all connections; requests in progress fail. */
  close(): Promise<void>;
}

/** Creates the client. Call it after telemetry has started. */
export function createUpstream({
  urls,
  connectTimeoutMs = 1_000,
  responseTimeoutMs = 15_000,
  restMs = 1_000,
  now = () => performance.now(),
}: UpstreamDeps): Upstream {
  const pools = urls.map((url) => createPool(new URL(url).origin, { connectTimeoutMs, responseTimeoutMs }));
  const rotation = createRotation(pools.length, now);
  const attemptEach = createAttempts({ rotation, restMs });
  const calls = createHttpCalls();

  return {
    send({ template, retry, timeoutMs, signal, links, resends = 0, ...options }, read) {
      const { method, path } = options;
      return attemptEach(retry ?? retryOf(method), async (index, count) => {
        const url = urls[index] as string;
        const call = { url, method, template: template ?? path, links, resends: resends + count };
        const response = await calls.during(call, (headers) =>
          (pools[index] as Pool).request({
            ...options,
            headers: { ...options.headers, ...headers },
            signal: signalFor(signal, timeoutMs),
          }),
        );
        if (isLeaving(response.headers)) rotation.rest(index, LEAVING_REST_MS);
        return read(response);
      });
    },
    probe: (path, timeoutMs) => Promise.all(pools.map((pool) => probeOne(pool, path, timeoutMs))),
    close: async () => void (await Promise.all(pools.map((pool) => pool.destroy()))),
  };
}

function signalFor(signal: AbortSignal | undefined, timeoutMs: number | undefined): AbortSignal | null {
  const signals = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)];
  const given = signals.filter((each) => each !== undefined);
  return given.length > 1 ? AbortSignal.any(given) : (given[0] ?? null);
}

function retryOf(method: string): Retry {
  return method === "GET" || method === "HEAD" ? "broken" : "unsent";
}

function createPool(
  origin: string,
  { connectTimeoutMs, responseTimeoutMs }: { connectTimeoutMs: number; responseTimeoutMs: number },
): Pool {
  return new Pool(origin, {
    connections: CONNECTIONS_PER_REPLICA,
    pipelining: 1,
    connect: connectWithin(connectTimeoutMs),
    allowH2: false,
    headersTimeout: responseTimeoutMs,
    bodyTimeout: responseTimeoutMs,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    keepAliveMaxTimeout: IDLE_CONNECTION_MS,
  });
}

async function probeOne(pool: Pool, path: string, timeoutMs: number) {
  try {
    const response = await pool.request({ path, method: "GET", signal: AbortSignal.timeout(timeoutMs) });
    return { status: response.statusCode, body: await response.body.json() };
  } catch {
    return undefined;
  }
}
