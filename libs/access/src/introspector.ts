import {
  INTROSPECTION_BATCH_MAX,
  type IntrospectionClaims,
  IntrospectionResponse,
  type IntrospectionResult,
} from "@gatehouse/contracts";
import { outgoingHeaders } from "@gatehouse/observability";
import type { AccessClaims } from "./claims.ts";

export interface IntrospectorOptions {
  /** auth's, one or several; asked in turn. */
  readonly urls: readonly string[];
  readonly token: string;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

export interface Introspector {
  /** What auth says of the token; undefined when it does not answer. */
  ask(claims: AccessClaims): Promise<IntrospectionResult | undefined>;
  /** Whether auth answers introspection at all. */
  answers(): Promise<boolean>;
}

const ANSWER_TIMEOUT_MS = 1_000;
/** How long an answer is used again. */
const KEPT_MS = 1_000;
/** How long questions are gathered. */
const GATHER_MS = 2;

interface Question {
  readonly claims: IntrospectionClaims;
  readonly settle: (result: IntrospectionResult | undefined) => void;
}

/** Asks auth whether tokens still stand: questions of the same moment go together, answers are kept for a second. */
export function createIntrospector({ urls, token, now = () => performance.now() }: IntrospectorOptions): Introspector {
  const kept = new Map<string, { readonly answer: Promise<IntrospectionResult | undefined>; readonly until: number }>();
  let waiting: Question[] = [];
  let turn = 0;

  function ask(claims: AccessClaims): Promise<IntrospectionResult | undefined> {
    const question = { sub: claims.sub, sid: claims.sid, token_version: claims.tokenVersion, kid: claims.kid };
    const key = Object.values(question).join(" ");
    const known = kept.get(key);
    if (known && known.until > now()) return known.answer;
    forgetOld();
    const answer = enqueue(question);
    kept.set(key, { answer, until: now() + KEPT_MS });
    return answer;
  }

  /** A Map keeps the order of insertion, and all answers are kept equally long. */
  function forgetOld(): void {
    for (const [key, { until }] of kept) {
      if (until > now()) return;
      kept.delete(key);
    }
  }

  function enqueue(claims: IntrospectionClaims): Promise<IntrospectionResult | undefined> {
    if (waiting.length === 0) setTimeout(flush, GATHER_MS);
    return new Promise((settle) => waiting.push({ claims, settle }));
  }

  function flush(): void {
    const questions = waiting;
    waiting = [];
    for (let start = 0; start < questions.length; start += INTROSPECTION_BATCH_MAX)
      void settle(questions.slice(start, start + INTROSPECTION_BATCH_MAX));
  }

  async function settle(questions: readonly Question[]): Promise<void> {
    const results = await request(questions.map(({ claims }) => claims));
    for (const [index, question] of questions.entries()) question.settle(results?.[index]);
  }

  /** One try at each address; undefined when none answers. */
  async function request(tokens: readonly IntrospectionClaims[]): Promise<IntrospectionResult[] | undefined> {
    for (const _attempt of urls) {
      const url = urls[turn++ % urls.length];
      const results = await post(`${url}/internal/introspect`, tokens).catch(() => undefined);
      if (results?.length === tokens.length) return results;
    }
    return undefined;
  }

  async function post(url: string, tokens: readonly IntrospectionClaims[]): Promise<IntrospectionResult[] | undefined> {
    const response = await fetch(url, {
      method: "POST",
      headers: { ...outgoingHeaders(), authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ tokens }),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return undefined;
    }
    return IntrospectionResponse.parse(await response.json()).results;
  }

  const NOBODY = "00000000-0000-0000-0000-000000000000";
  return {
    ask,
    answers: async () => (await enqueue({ sub: NOBODY, sid: NOBODY, token_version: 0, kid: "" })) !== undefined,
  };
}
