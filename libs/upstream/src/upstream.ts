import { createRotation, isLeaving, LEAVING_REST_MS } from "@gatehouse/access";
import { type AppError, PROBLEM_CONTENT_TYPE } from "@gatehouse/errors";
import { createHttpCalls } from "@gatehouse/observability";
import { type Dispatcher, Pool } from "undici";
import { failureOf, upstreamError } from "./upstream-failure.ts";

const CONNECT_TIMEOUT_MS = 1_000;
// A login may wait for its turn to be hashed, a command for the service behind the service.
const ANSWER_TIMEOUT_MS = 15_000;
const CONNECTIONS_PER_REPLICA = 256;
// Shorter than any server keeps a connection (72 s here) and than its drain, so that no request meets one that is
// being closed: what cannot be repeated would fail. It caps the server's own keep-alive hint too.
const IDLE_CONNECTION_MS = 1_000;
const UNREACHED_REST_MS = 1_000;

type UpstreamRequest = Dispatcher.RequestOptions;
type UpstreamCallback = (error: Error | null, response: Dispatcher.ResponseData) => void;

/** One service, by all its replicas. */
export interface Upstream {
  /**
   * Sends a request to whichever replica's turn it is (the `origin` of the options says nothing), with the headers of
   * correlation and trace. A replica that cannot be reached moves on to the next with any method; a request that may have been
   * sent is repeated for GET and HEAD only. The error is an AppError: ServiceUnavailable, GatewayTimeout, BadGateway or
   * BadRequest. A 5xx that is no problem+json is a BadGateway.
   * @param template the path as a pattern, for telemetry
   */
  request(template: string, options: UpstreamRequest, callback: UpstreamCallback): void;
  /** GET of a JSON document from whichever replica answers. @param path without anything that a client said @throws AppError */
  getJson(path: string): Promise<unknown>;
  /** GET from each replica, whatever the status; undefined where no JSON came within the time. */
  probe(path: string, timeoutMs: number): Promise<({ status: number; body: unknown } | undefined)[]>;
  close(): Promise<void>;
}

/** @param urls the replicas' base URLs; only their origins count */
export function createUpstream(urls: readonly string[], now: () => number = () => performance.now()): Upstream {
  const pools = urls.map((url) => createPool(new URL(url).origin));
  const rotation = createRotation(pools.length, now);
  const calls = createHttpCalls();

  function request(template: string, options: UpstreamRequest, callback: UpstreamCallback): void {
    const repeatable = options.method === "GET" || options.method === "HEAD";
    const order = rotation.order();
    // A single replica gets a second try where repeating is harmless: a kept connection may just have been closed.
    const tries = repeatable ? Math.max(order.length, 2) : order.length;

    function attempt(count: number): void {
      const index = order[count % order.length] as number;
      const call = calls.start({ url: urls[index] as string, method: options.method, template, resends: count });
      (pools[index] as Pool).request(withHeaders(options, call.headers), (error, response) => {
        if (error === null) {
          call.answered(response.statusCode);
          if (isLeaving(response.headers)) rotation.rest(index, LEAVING_REST_MS);
          return answer(response, callback);
        }
        call.failed(error);
        const failure = failureOf(error);
        if (failure === "unreached") rotation.rest(index, UNREACHED_REST_MS);
        const next = count + 1;
        const limit = failure === "unreached" ? order.length : failure === "broken" && repeatable ? tries : 0;
        if (next < limit) attempt(next);
        else callback(upstreamError(failure, error), response);
      });
    }
    attempt(0);
  }

  async function getJson(path: string): Promise<unknown> {
    const response = await new Promise<Dispatcher.ResponseData>((resolve, reject) =>
      request(path, { path, method: "GET" }, (error, data) => (error ? reject(error) : resolve(data))),
    );
    if (response.statusCode !== 200) {
      discard(response);
      throw badAnswer(response);
    }
    return await response.body.json();
  }

  return {
    request,
    getJson,
    probe: (path, timeoutMs) => Promise.all(pools.map((pool) => probeOne(pool, path, timeoutMs))),
    close: async () => void (await Promise.all(pools.map((pool) => pool.destroy()))),
  };
}

function createPool(origin: string): Pool {
  return new Pool(origin, {
    connections: CONNECTIONS_PER_REPLICA,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    allowH2: false,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    keepAliveMaxTimeout: IDLE_CONNECTION_MS,
  });
}

/** Sets them anew for each try: a try is a place of its own in the trace. */
function withHeaders(options: UpstreamRequest, headers: Readonly<Record<string, string>>): UpstreamRequest {
  return { ...options, headers: { ...(options.headers as Record<string, string>), ...headers } };
}

function answer(response: Dispatcher.ResponseData, callback: UpstreamCallback): void {
  if (response.statusCode < 500 || isProblem(response)) return callback(null, response);
  discard(response);
  callback(badAnswer(response), response);
}

function isProblem(response: Dispatcher.ResponseData): boolean {
  const type = response.headers["content-type"];
  return typeof type === "string" && type.startsWith(PROBLEM_CONTENT_TYPE);
}

function badAnswer(response: Dispatcher.ResponseData): AppError {
  return upstreamError("broken", new Error(`the service answered ${response.statusCode}`));
}

/** Reads the rest away, so that the connection can be used again. */
function discard(response: Dispatcher.ResponseData): void {
  response.body.dump().catch(() => undefined);
}

async function probeOne(pool: Pool, path: string, timeoutMs: number) {
  try {
    const response = await pool.request({ path, method: "GET", signal: AbortSignal.timeout(timeoutMs) });
    return { status: response.statusCode, body: await response.body.json() };
  } catch {
    return undefined;
  }
}
