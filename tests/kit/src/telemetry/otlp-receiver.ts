import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Received, type ReceivedSpan, readExport } from "./otlp-json.ts";

export type { ReceivedLog, ReceivedPoint, ReceivedSpan, SpanKindName } from "./otlp-json.ts";

/** Holds everything that was received so far, in order. */
export interface OtlpReceiver extends Readonly<Received> {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT, with OTEL_EXPORTER_OTLP_PROTOCOL=http/json. */
  readonly url: string;
  readonly bodies: readonly string[];
  readonly headers: readonly IncomingHttpHeaders[];
  stop(): Promise<void>;
}

export interface OtlpReceiverOptions {
  /** Called with the spans of each request. */
  readonly onSpans?: (spans: readonly ReceivedSpan[]) => void;
  /** False: store nothing. */
  readonly keep?: boolean;
}

/** Receives OTLP over HTTP in JSON, on loopback. Returns 400 for other bodies; exporters do not retry after it. */
export async function startOtlpReceiver({ onSpans, keep = true }: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const all: Received = { points: [], spans: [], logs: [] };
  const bodies: string[] = [];
  const headers: IncomingHttpHeaders[] = [];

  async function answer(request: IncomingMessage): Promise<number> {
    const body = await text(request);
    if (request.method !== "POST" || !/^\/v1\/(metrics|traces|logs)$/.test(request.url ?? "")) return 404;
    if (keep) headers.push(request.headers);
    let received: Received;
    try {
      received = readExport(JSON.parse(body));
    } catch {
      return 400;
    }
    onSpans?.(received.spans);
    if (!keep) return 200;
    bodies.push(body);
    all.points.push(...received.points);
    all.spans.push(...received.spans);
    all.logs.push(...received.logs);
    return 200;
  }

  const server = createServer((request, response) => {
    void answer(request).then(
      (status) => response.writeHead(status, { "content-type": "application/json" }).end("{}"),
      // The client disconnected.
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, ...all, bodies, headers, stop };
}
