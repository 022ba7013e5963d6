import {
  INTROSPECTION_BATCH_MAX,
  type IntrospectionClaims,
  IntrospectionResponse,
  type IntrospectionResult,
} from "@gatehouse/contracts";
import { PROBLEM_CONTENT_TYPE } from "@gatehouse/errors";
import { currentContext, type Logger, type RequestContext, runInContext } from "@gatehouse/observability";
import { failureOf, type Upstream, UpstreamError, type UpstreamResponse } from "@gatehouse/upstream";
import type { Link } from "@opentelemetry/api";
import { createIntrospectionMetric } from "../verification/access-metrics.ts";
import type { AccessClaims } from "../verification/claims.ts";
import type { AuthState } from "../verification/decider.ts";

export interface IntrospectorDeps {
  readonly auth: Upstream;
  /** INTROSPECTION_TOKEN. */
  readonly token: string;
  readonly logger: Logger;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** Auth's result for a token, or why there is none. */
export type IntrospectionOutcome = IntrospectionResult | Exclude<AuthState, "answers">;

export interface Introspector {
  introspect(claims: AccessClaims): Promise<IntrospectionOutcome>;
  /** Returns whether auth answers introspection. */
  isAvailable(): Promise<boolean>;
}

const PATH = "/internal/introspect";
const RESPONSE_TIMEOUT_MS = 1_000;
/** How long a result is cached, and how long auth is not asked again after a failure. */
const CACHE_MS = 1_000;
/** How long tokens are collected into one request. */
const BATCH_MS = 2;
const UNAVAILABLE: ReadonlySet<number> = new Set([502, 503, 504]);
const NO_ID = "00000000-0000-0000-0000-000000000000";

interface Pending {
  readonly claims: IntrospectionClaims;
  readonly resolve: (outcome: IntrospectionOutcome) => void;
  /** The context of the request that carries the token. */
  readonly context: RequestContext | undefined;
}

/** Auth is running, but its response is not a valid result. */
class FaultyResponse extends Error {}

/** Creates the client of auth's introspection (RFC 7662). Concurrent tokens share a request; results are cached for a second. */
export function createIntrospector({ auth, token, logger, now = monotonic }: IntrospectorDeps): Introspector {
  const count = createIntrospectionMetric();
  const cache = new Map<string, { readonly outcome: Promise<IntrospectionOutcome>; readonly until: number }>();
  let pending: Pending[] = [];
  let failed: { readonly as: Exclude<AuthState, "answers">; readonly until: number } | undefined;

  function introspect({ sub, sid, tokenVersion, kid }: AccessClaims): Promise<IntrospectionOutcome> {
    const key = `${sub} ${sid} ${tokenVersion} ${kid}`;
    // Otherwise every request would wait for its own timeout while auth is down.
    if (failed && failed.until > now()) return Promise.resolve(failed.as);
    const cached = cache.get(key);
    if (cached && cached.until > now()) return cached.outcome;
    deleteExpired();
    const outcome = enqueue({ sub, sid, token_version: tokenVersion, kid });
    cache.set(key, { outcome, until: now() + CACHE_MS });
    return outcome;
  }

  /** A Map keeps the order of insertion, so the oldest entries come first. */
  function deleteExpired(): void {
    for (const [key, { until }] of cache) {
      if (until > now()) return;
      cache.delete(key);
    }
  }

  function enqueue(claims: IntrospectionClaims): Promise<IntrospectionOutcome> {
    if (pending.length === 0) setTimeout(flush, BATCH_MS);
    return new Promise((resolve) => pending.push({ claims, resolve, context: currentContext() }));
  }

  function flush(): void {
    const due = pending;
    pending = [];
    for (let start = 0; start < due.length; start += INTROSPECTION_BATCH_MAX) {
      const batch = due.slice(start, start + INTROSPECTION_BATCH_MAX);
      const contexts = batch.map(({ context }) => context);
      void runForAll(contexts, (links) => resolveBatch(batch, links));
    }
  }

  async function resolveBatch(batch: readonly Pending[], links: Link[]): Promise<void> {
    const tokens = batch.map(({ claims }) => claims);
    try {
      const results = await post(tokens, links);
      count("answers");
      if (failed) logger.info("introspection recovered");
      failed = undefined;
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] ?? "faulty");
    } catch (error) {
      const as = stateAfter(error);
      count(as);
      if (failed?.as !== as) logger.warn({ err: error, auth: as }, "introspection failed");
      failed = { as, until: now() + CACHE_MS };
      for (const { resolve } of batch) resolve(as);
    }
  }

  function post(tokens: readonly IntrospectionClaims[], links: Link[]): Promise<IntrospectionResult[]> {
    return auth.send(
      {
        method: "POST",
        path: PATH,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ tokens }),
        retry: "always",
        timeoutMs: RESPONSE_TIMEOUT_MS,
        links,
      },
      (response) => readResponse(response, tokens.length),
    );
  }

  return {
    introspect,
    async isAvailable() {
      const outcome = await enqueue({ sub: NO_ID, sid: NO_ID, token_version: 0, kid: "" });
      return typeof outcome === "object";
    },
  };
}

async function readResponse({ statusCode, headers, body }: UpstreamResponse, count: number) {
  if (statusCode === 200) return readResults(await body.text(), count);
  await body.dump();
  throw isDown(statusCode, headers["content-type"])
    ? new Error(`status ${statusCode}`)
    : new FaultyResponse(`status ${statusCode}`);
}

/**
 * Returns whether a proxy reports that auth is down. An auth that returns a problem itself is running, and may have
 * committed revocations that it could not publish.
 */
function isDown(status: number, contentType: unknown): boolean {
  return UNAVAILABLE.has(status) && !String(contentType).startsWith(PROBLEM_CONTENT_TYPE);
}

function readResults(body: string, count: number): IntrospectionResult[] {
  try {
    const { results } = IntrospectionResponse.parse(JSON.parse(body));
    if (results.length === count) return results;
  } catch (error) {
    throw new FaultyResponse("not an introspection response", { cause: error });
  }
  throw new FaultyResponse("the number of results differs from the number of tokens");
}

/** One running replica is enough: the view can miss what it commits. An auth that accepts connections and is silent runs. */
function stateAfter(error: unknown): Exclude<AuthState, "answers"> {
  const isFaulty = (cause: unknown) => cause instanceof FaultyResponse || failureOf(cause) === "timeout";
  return error instanceof UpstreamError && error.errors.some(isFaulty) ? "faulty" : "unreachable";
}

/**
 * Runs work for several requests at once. A span has one parent, so the work belongs to the first recorded request, and
 * `links` point to the others (OpenTelemetry specification, "Links between spans"). If none is recorded, it belongs to the first.
 */
function runForAll<T>(contexts: readonly (RequestContext | undefined)[], work: (links: Link[]) => T): T {
  const recorded = contexts.flatMap((context) => (context?.span ? [{ context, span: context.span }] : []));
  const [first, ...others] = recorded;
  const owner = first?.context ?? contexts[0];
  const links = others.map(({ span }) => ({ context: span.spanContext() }));
  return owner ? runInContext(owner, () => work(links)) : work(links);
}

function monotonic(): number {
  return performance.now();
}
