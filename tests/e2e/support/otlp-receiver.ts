import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** One value of one series, as it arrived. */
interface ReceivedPoint {
  /** The attributes of the process that sent it. */
  readonly resource: Readonly<Record<string, string>>;
  readonly metric: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  /** Everything received so far, in order. */
  readonly points: readonly ReceivedPoint[];
  readonly headers: readonly IncomingHttpHeaders[];
  stop(): Promise<void>;
}

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface DataPoint {
  readonly attributes?: readonly KeyValue[];
  readonly asInt?: number | string;
  readonly asDouble?: number;
}

interface Export {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly unit: string;
        readonly sum?: { readonly dataPoints: readonly DataPoint[] };
        readonly gauge?: { readonly dataPoints: readonly DataPoint[] };
      }[];
    }[];
  }[];
}

const textsOf = (list: readonly KeyValue[] = []) =>
  Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? ""]));

function* pointsOf({ resourceMetrics }: Export): Iterable<ReceivedPoint> {
  for (const { resource, scopeMetrics } of resourceMetrics)
    for (const { name, unit, sum, gauge } of scopeMetrics.flatMap(({ metrics }) => metrics))
      for (const point of (sum ?? gauge)?.dataPoints ?? [])
        yield {
          resource: textsOf(resource.attributes),
          metric: name,
          unit,
          attributes: textsOf(point.attributes),
          value: Number(point.asInt ?? point.asDouble),
        };
}

/** Receives metrics as a collector does: OTLP over HTTP, in JSON (OTLP 1.x, "Binary Protobuf Encoding" and "JSON Protobuf Encoding"). */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const points: ReceivedPoint[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk as Uint8Array);
      const known = request.method === "POST" && request.url === "/v1/metrics";
      if (known) {
        headers.push(request.headers);
        points.push(...pointsOf(JSON.parse(Buffer.concat(chunks).toString()) as Export));
      }
      response.writeHead(known ? 200 : 404, { "content-type": "application/json" }).end("{}");
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    points,
    headers,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
