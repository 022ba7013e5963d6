/** What the log's line of a request ties together. */
export interface RequestLine {
  readonly traceId: string;
  readonly correlationId: string;
  /** Nobody has to look at it: it says no more than the trace does. */
  readonly isRoutine: boolean;
}

const REQUEST = /"level":"(info|warn|error)".*"msg":"request"|\b(INFO|WARN|ERROR): request \{/;
const TRACE_ID = /"trace_id":"([0-9a-f]{32})"/;
const CORRELATION_ID = /"correlation_id":"([A-Za-z0-9._:-]{1,128})"/;

/** Reads the one line that a service writes of a request, as JSON or for people; undefined for all others, health checks too. */
export function readRequestLine(line: string): RequestLine | undefined {
  const [, json, readable] = REQUEST.exec(line) ?? [];
  const [traceId, correlationId] = [TRACE_ID.exec(line)?.[1], CORRELATION_ID.exec(line)?.[1]];
  const level = json ?? readable;
  if (level === undefined || traceId === undefined || correlationId === undefined) return undefined;
  return { traceId, correlationId, isRoutine: level.toLowerCase() === "info" };
}
