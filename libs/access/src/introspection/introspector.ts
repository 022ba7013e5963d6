import {
  INTROSPECTION_BATCH_MAX,
  type IntrospectionClaims,
  IntrospectionResponse,
  type IntrospectionResult,
} from "@gatehouse/contracts";
import { PROBLEM_CONTENT_TYPE } from "@gatehouse/errors";
import {
  createHttpCalls,
  currentContext,
  type Logger,
  type OutgoingRequest,
  type RequestContext,
} from "@gatehouse/observability";
import type { Link } from "@opentelemetry/api";
import { Agent, request } from "undici";
import { createIntrospectionMetric } from "../verification/access-metrics.ts";
import type { AccessClaims } from "../verification/claims.ts";
import { connectWithin } from "../verification/connect-within.ts";
import { onBehalfOf } from "../guards/on-behalf-of.ts";
import { createReplicas, isTimeout } from "./replicas.ts";
import type { AuthState } from "../verification/verdict.ts";

export interface IntrospectorOptions {
  /** auth's, one or several; asked in turn. */
  readonly urls: readonly string[];
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
  close(): Promise<void>;
}

const PATH = "/internal/introspect";
/** Shorter than the wait for an answer: whether anybody is there is known before it is over. */
const CONNECT_TIMEOUT_MS = 500;
const ANSWER_TIMEOUT_MS = 1_000;
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
export function createIntrospector({ urls, token, logger, now = monotonic }: IntrospectorOptions): Introspector {
  const replicas = createReplicas(urls, now);
  const dispatcher = new Agent({ connect: connectWithin(CONNECT_TIMEOUT_MS) });
  const calls = createHttpCalls();
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
      const results = await replicas.ask((url, resends) => post({ url, resends, links }, tokens));
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

  async function post(
    target: Pick<OutgoingRequest, "url" | "resends" | "links">,
    tokens: readonly IntrospectionClaims[],
  ): Promise<IntrospectionResult[]> {
    const { statusCode, headers, body } = await calls
      .during({ ...target, method: "POST", template: PATH }, (carried) =>
        request(`${target.url}${PATH}`, {
          method: "POST",
          headers: { ...carried, authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: JSON.stringify({ tokens }),
          dispatcher,
          signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
        }),
      )
      .catch(silenceIsFaulty);
    if (statusCode === 200) return readResults(await body.text().catch(silenceIsFaulty), tokens.length);
    await body.dump();
    throw isAway(statusCode, headers["content-type"])
      ? new Error(`status ${statusCode}`)
      : new FaultyAnswer(`status ${statusCode}`);
  }

  return {
    ask,
    async answers() {
      const word = await enqueue({ sub: NOBODY, sid: NOBODY, token_version: 0, kid: "" });
      return typeof word === "object";
    },
    close: () => dispatcher.destroy(),
  };
}

/** Who accepts a connection and says nothing lives, and may go on committing; who is dead does not accept one. */
function silenceIsFaulty(error: unknown): never {
  throw isTimeout(error) ? new FaultyAnswer("no answer in time", { cause: error }) : error;
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

/** One replica that lives is enough: what it commits may be missing in the view. */
function stateAfter(error: unknown): Exclude<AuthState, "answers"> {
  return error instanceof AggregateError && error.errors.some((cause) => cause instanceof FaultyAnswer)
    ? "faulty"
    : "unreachable";
}

function monotonic(): number {
  return performance.now();
}
