/** What the log's line of a request ties together. */
export interface RequestLine {
  readonly traceId: string;
  readonly correlationId: string;
}

const IS_REQUEST = /"level":"info".*"msg":"request"|\bINFO\b.*: request \{/;
const TRACE_ID = /"trace_id":"([0-9a-f]{32})"/;
const CORRELATION_ID = /"correlation_id":"([A-Za-z0-9._:-]{1,128})"/;

/** Reads the one line that a service writes of a request, as JSON or for people; undefined for all others. */
export function readRequestLine(line: string): RequestLine | undefined {
  if (!IS_REQUEST.test(line)) return undefined;
  const [traceId, correlationId] = [TRACE_ID.exec(line)?.[1], CORRELATION_ID.exec(line)?.[1]];
  return traceId === undefined || correlationId === undefined ? undefined : { traceId, correlationId };
}
