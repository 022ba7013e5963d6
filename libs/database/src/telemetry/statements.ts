import { currentContext, type SpanDescription, startChild } from "@gatehouse/observability";
import { type Attributes, createNoopMeter, metrics, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { DURATION_BOUNDARIES, failureAttributes, type ServerAttributes } from "./server-attributes.ts";
import { type Summary, summarize } from "./summarize.ts";

/** kysely repeats the same statements; only lists of different lengths add more. */
const KNOWN_STATEMENTS = 500;
const LONGEST_KNOWN = 4_000;

/** Runs one statement; `work` sends it and waits for the answer. */
export type ObserveStatement = <R>(statement: string, work: () => Promise<R>) => Promise<R>;

/**
 * Records a span for each statement of a recorded request, and the duration of every statement as a metric. Parameters are never
 * recorded. Without both, the statement is not parsed.
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
  /** Without the text, which would create a series for each length of a list. A service has a few dozen summaries. */
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
    // Drops the oldest; a statement still in use is described again.
    const [oldest] = known.keys();
    if (known.size >= KNOWN_STATEMENTS && oldest !== undefined) known.delete(oldest);
    known.set(statement, description);
    return description;
  };
}

/** Returns undefined when no metrics are collected. */
function createMeasure() {
  const duration = metrics.getMeter("gatehouse").createHistogram("db.client.operation.duration", {
    unit: "s",
    description: "Duration of statements, from sending to the answer.",
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  });
  // Without an SDK the API returns one shared no-op instrument.
  if (duration === createNoopMeter().createHistogram("db.client.operation.duration")) return undefined;
  return (milliseconds: number, attributes: Attributes) => duration.record(milliseconds / 1_000, attributes);
}
