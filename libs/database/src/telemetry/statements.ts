import { currentContext, type SpanDescription, startChild } from "@gatehouse/observability";
import { type Attributes, createNoopMeter, metrics, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { DURATION_BOUNDARIES, failureAttributes, type ServerAttributes } from "./server-attributes.ts";
import { type Summary, summarize } from "./summarize.ts";

/** kysely writes the same statements again and again; lists of many lengths are what makes them more. */
const KNOWN_STATEMENTS = 500;
const LONGEST_KNOWN = 4_000;

/** Runs one statement; `work` is what sends it and waits for the answer. */
export type ObserveStatement = <R>(statement: string, work: () => Promise<R>) => Promise<R>;

/**
 * A span for each statement of a request that is recorded, and its duration as a metric, whoever asks for it. Parameters are not seen here.
 * Where neither is wanted the statement is not even looked at.
 */
export function createStatementObserver(server: ServerAttributes, schema: string | undefined): ObserveStatement {
  const measure = createMeasure();
  const describe = rememberingDescriptions((statement) => describeStatement(summarize(statement, schema), server));

  return async (statement, work) => {
    const context = currentContext();
    if (!measure && !context?.span) return await work();
    const { span: description, measured } = describe(statement);
    const span = startChild(description, context);
    const startedAt = performance.now();
    let failure: Attributes | undefined;
    try {
      return await work();
    } catch (error) {
      failure = failureAttributes(error);
      span?.setAttributes(failure).setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span?.end();
      measure?.(performance.now() - startedAt, failure ? { ...measured, ...failure } : measured);
    }
  };
}

interface Description {
  readonly span: SpanDescription;
  /** Without the text: lists of many lengths would be as many series. The summaries of a service are some dozens. */
  readonly measured: Attributes;
}

function describeStatement({ summary, operation, collection, text }: Summary, server: ServerAttributes): Description {
  const what = {
    "db.operation.name": operation,
    ...(collection !== undefined && { "db.collection.name": collection }),
    "db.query.summary": summary,
  };
  const attributes = { ...server.server, ...what, "db.query.text": text };
  return { span: { name: summary, kind: SpanKind.CLIENT, attributes }, measured: { ...server.database, ...what } };
}

function rememberingDescriptions(describe: (statement: string) => Description): (statement: string) => Description {
  const known = new Map<string, Description>();
  return (statement) => {
    const found = known.get(statement);
    if (found) return found;
    const description = describe(statement);
    if (statement.length > LONGEST_KNOWN) return description;
    // The oldest goes: what is still in use is soon described again.
    const [oldest] = known.keys();
    if (known.size >= KNOWN_STATEMENTS && oldest !== undefined) known.delete(oldest);
    known.set(statement, description);
    return description;
  };
}

/** @returns undefined where nobody collects metrics */
function createMeasure() {
  const duration = metrics.getMeter("gatehouse").createHistogram("db.client.operation.duration", {
    unit: "s",
    description: "How long statements took, from being sent to their answer.",
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  });
  // Without an SDK the API hands out one and the same void instrument.
  if (duration === createNoopMeter().createHistogram("db.client.operation.duration")) return undefined;
  return (milliseconds: number, attributes: Attributes) => duration.record(milliseconds / 1_000, attributes);
}
