import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Export, type ReceivedLog, type ReceivedPoint, type ReceivedSpan, readExport } from "./otlp-json.ts";

export type { ReceivedLog, ReceivedPoint, ReceivedSpan, SpanKindName } from "./otlp-json.ts";

export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT; OTEL_EXPORTER_OTLP_PROTOCOL has to be http/json. */
  readonly url: string;
  /** Everything received so far, in order. */
  readonly points: readonly ReceivedPoint[];
  readonly spans: readonly ReceivedSpan[];
  readonly logs: readonly ReceivedLog[];
  /** The same as it came over the wire. */
  readonly bodies: readonly string[];
  readonly headers: readonly IncomingHttpHeaders[];
  stop(): Promise<void>;
}

export interface OtlpReceiverOptions {
  /** Receives the spans of each request. */
  readonly onSpans?: (spans: readonly ReceivedSpan[]) => void;
  /** False: nothing is kept, `points` and the like stay empty. */
  readonly keep?: boolean;
}

const SIGNAL_PATHS = new Set(["/v1/metrics", "/v1/traces", "/v1/logs"]);

/**
 * Receives telemetry as a collector does: OTLP over HTTP, in JSON (OTLP 1.x, "JSON Protobuf Encoding"), on loopback. What is no such
 * JSON, because it is compressed or protobuf, is answered 400, which the exporter reports and does not send again.
 */
export async function startOtlpReceiver({ onSpans, keep = true }: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const points: ReceivedPoint[] = [];
  const spans: ReceivedSpan[] = [];
  const logs: ReceivedLog[] = [];
  const bodies: string[] = [];
  const headers: IncomingHttpHeaders[] = [];

  function take(body: string, received: ReturnType<typeof readExport>): void {
    onSpans?.(received.spans);
    if (!keep) return;
    bodies.push(body);
    points.push(...received.points);
    spans.push(...received.spans);
    logs.push(...received.logs);
  }

  async function answer(request: IncomingMessage): Promise<number> {
    const body = await text(request);
    if (request.method !== "POST" || !SIGNAL_PATHS.has(request.url ?? "")) return 404;
    if (keep) headers.push(request.headers);
    const received = parseExport(body);
    if (received === undefined) return 400;
    take(body, received);
    return 200;
  }

  const server = createServer((request, response) => {
    void answer(request).then(
      (status) => response.writeHead(status, { "content-type": "application/json" }).end("{}"),
      // The sender closed the connection before the end of its request.
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    points,
    spans,
    logs,
    bodies,
    headers,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** undefined for what is no export in JSON. */
function parseExport(body: string): ReturnType<typeof readExport> | undefined {
  try {
    return readExport(JSON.parse(body) as Export);
  } catch {
    return undefined;
  }
}
