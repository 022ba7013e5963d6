import {
  INTROSPECTION_BATCH_MAX,
  type IntrospectionClaims,
  IntrospectionResponse,
  type IntrospectionResult,
} from "@gatehouse/contracts";
import { PROBLEM_CONTENT_TYPE } from "@gatehouse/errors";
import { currentContext, type Logger, type RequestContext } from "@gatehouse/observability";
import { failureOf, type Upstream, UpstreamError, type UpstreamResponse } from "@gatehouse/upstream";
import type { Link } from "@opentelemetry/api";
import { createIntrospectionMetric } from "../verification/access-metrics.ts";
import type { AccessClaims } from "../verification/claims.ts";
import { onBehalfOf } from "../guards/on-behalf-of.ts";
import type { AuthState } from "../verification/verdict.ts";

export interface IntrospectorOptions {
  readonly auth: Upstream;
  /** INTROSPECTION_TOKEN. */
  readonly token: string;
  readonly logger: Logger;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

/** What auth says of a token, or why it does not. */
export type AuthWord = IntrospectionResult | Exclude<AuthState, "answers">;

export interface Introspector {
  ask(claims: AccessClaims): Promise<AuthWord>;
  /** Whether auth answers introspection at all. */
  answers(): Promise<boolean>;
}

const PATH = "/internal/introspect";
const RESPONSE_TIMEOUT_MS = 1_000;
/** How long an answer is used again, and how long auth is left alone after it did not give one. */
const KEPT_MS = 1_000;
/** How long questions are gathered. */
const GATHER_MS = 2;
const UNAVAILABLE: ReadonlySet<number> = new Set([502, 503, 504]);
const NOBODY = "00000000-0000-0000-0000-000000000000";

interface Question {
  readonly claims: IntrospectionClaims;
  readonly settle: (word: AuthWord) => void;
  /** Of the request that asks. */
  readonly context: RequestContext | undefined;
}

/** auth is there, but does not say what was asked. */
class FaultyAnswer extends Error {}

/** Asks auth whether tokens still stand: questions of the same moment go together, answers are kept for a second. */
export function createIntrospector({ auth, token, logger, now = monotonic }: IntrospectorOptions): Introspector {
  const count = createIntrospectionMetric();
  const kept = new Map<string, { readonly word: Promise<AuthWord>; readonly until: number }>();
  let waiting: Question[] = [];
  let failed: { readonly as: Exclude<AuthState, "answers">; readonly until: number } | undefined;

  function ask({ sub, sid, tokenVersion, kid }: AccessClaims): Promise<AuthWord> {
    const key = `${sub} ${sid} ${tokenVersion} ${kid}`;
    // Otherwise every request would wait for a time-out of its own while auth is away.
    if (failed && failed.until > now()) return Promise.resolve(failed.as);
    const known = kept.get(key);
    if (known && known.until > now()) return known.word;
    forgetOld();
    const word = enqueue({ sub, sid, token_version: tokenVersion, kid });
    kept.set(key, { word, until: now() + KEPT_MS });
    return word;
  }

  /** A Map keeps the order of insertion, and all answers are kept equally long. */
  function forgetOld(): void {
    for (const [key, { until }] of kept) {
      if (until > now()) return;
      kept.delete(key);
    }
  }

  function enqueue(claims: IntrospectionClaims): Promise<AuthWord> {
    if (waiting.length === 0) setTimeout(flush, GATHER_MS);
    return new Promise((resolve) => waiting.push({ claims, settle: resolve, context: currentContext() }));
  }

  function flush(): void {
    const questions = waiting;
    waiting = [];
    for (let start = 0; start < questions.length; start += INTROSPECTION_BATCH_MAX) {
      const batch = questions.slice(start, start + INTROSPECTION_BATCH_MAX);
      const askers = batch.map(({ context }) => context);
      void onBehalfOf(askers, (links) => settle(batch, links));
    }
  }

  async function settle(questions: readonly Question[], links: Link[]): Promise<void> {
    const tokens = questions.map(({ claims }) => claims);
    try {
      const results = await post(tokens, links);
      count("answers");
      if (failed) logger.info("auth answers introspection again");
      failed = undefined;
      for (const [index, question] of questions.entries()) question.settle(results[index] ?? "faulty");
    } catch (error) {
      const as = stateAfter(error);
      count(as);
      if (failed?.as !== as) logger.warn({ err: error, auth: as }, "auth does not answer introspection");
      failed = { as, until: now() + KEPT_MS };
      for (const question of questions) question.settle(as);
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
    ask,
    async answers() {
      const word = await enqueue({ sub: NOBODY, sid: NOBODY, token_version: 0, kid: "" });
      return typeof word === "object";
    },
  };
}

async function readResponse({ statusCode, headers, body }: UpstreamResponse, count: number) {
  if (statusCode === 200) return readResults(await body.text(), count);
  await body.dump();
  throw isAway(statusCode, headers["content-type"])
    ? new Error(`status ${statusCode}`)
    : new FaultyAnswer(`status ${statusCode}`);
}

/**
 * A proxy says that auth is away. An auth that says so itself, as a problem, lives: without its database it commits nothing, but may have
 * committed what it could not publish any more.
 */
function isAway(status: number, contentType: unknown): boolean {
  return UNAVAILABLE.has(status) && !String(contentType).startsWith(PROBLEM_CONTENT_TYPE);
}

function readResults(body: string, count: number): IntrospectionResult[] {
  try {
    const { results } = IntrospectionResponse.parse(JSON.parse(body));
    if (results.length === count) return results;
  } catch (error) {
    throw new FaultyAnswer("not an answer to introspection", { cause: error });
  }
  throw new FaultyAnswer("answers to other questions");
}

/** One running replica is enough: the view can miss what it commits. An auth that accepts connections and is silent runs. */
function stateAfter(error: unknown): Exclude<AuthState, "answers"> {
  const isFaulty = (cause: unknown) => cause instanceof FaultyAnswer || failureOf(cause) === "timeout";
  return error instanceof UpstreamError && error.errors.some(isFaulty) ? "faulty" : "unreachable";
}

function monotonic(): number {
  return performance.now();
}
