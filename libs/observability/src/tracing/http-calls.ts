import { type Attributes, type Link, metrics, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { currentContext, outgoingHeaders } from "../context.ts";
import { errorType } from "./mark-failed.ts";
import { startChild } from "./span.ts";

/** Boundaries by the conventions for `http.client.request.duration`, in seconds. */
const DURATION_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const CLIENT_ERROR = 400;

/** One request to one server; each retry is a request of its own. */
export interface OutgoingRequest {
  /** The server's base URL. */
  readonly url: string;
  readonly method: string;
  /** The path as a pattern, `/v1/users/:id`. The path itself contains user input and is never recorded. */
  readonly template: string;
  /** How often it was sent before. */
  readonly resends?: number | undefined;
  /** Links to further spans that caused it. */
  readonly links?: Link[] | undefined;
}

/** A running request. Call exactly one of the functions, once. */
interface HttpCall {
  /** The headers to send, so that the server continues the trace. */
  readonly headers: Readonly<Record<string, string>>;
  /** The response's head arrived. A status of 400 or more marks the call as failed, by the conventions for clients. */
  answered(status: number): void;
  /** No response will arrive. */
  failed(error: unknown): void;
}

/** Records requests to other services: a CLIENT span when the current work is recorded, and `http.client.request.duration`. */
interface HttpCalls {
  start(request: OutgoingRequest): HttpCall;
  /** Records a request whose client returns a promise of the response's head. */
  during<T extends { readonly statusCode: number }>(
    request: OutgoingRequest,
    send: (headers: HttpCall["headers"]) => Promise<T>,
  ): Promise<T>;
}

/** Returns a recorder. Call it after telemetry has started. */
export function createHttpCalls(): HttpCalls {
  const servers = new Map<string, Attributes>();
  const duration = metrics.getMeter("gatehouse").createHistogram("http.client.request.duration", {
    unit: "s",
    description: "Time until the head of another service's response, each attempt separately; without health checks.",
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  });

  function serverOf(url: string): Attributes {
    let server = servers.get(url);
    if (!server) servers.set(url, (server = describeServer(new URL(url))));
    return server;
  }

  function start({ url, method, template, resends = 0, links = [] }: OutgoingRequest): HttpCall {
    const startedAt = performance.now();
    const attributes = { "http.request.method": method, "url.template": template, ...serverOf(url) };
    const context = currentContext();
    const span = startChild(
      {
        name: `${method} ${template}`,
        kind: SpanKind.CLIENT,
        attributes: resends > 0 ? { ...attributes, "http.request.resend_count": resends } : attributes,
        links,
      },
      context,
    );

    function end(outcome: Attributes): void {
      duration.record((performance.now() - startedAt) / 1_000, { ...attributes, ...outcome });
      if ("error.type" in outcome) span?.setStatus({ code: SpanStatusCode.ERROR });
      span?.setAttributes(outcome).end();
    }

    return {
      headers: outgoingHeaders(context && span ? { ...context, trace: span.spanContext() } : context),
      answered: (status) =>
        end({ "http.response.status_code": status, ...(status >= CLIENT_ERROR && { "error.type": String(status) }) }),
      failed: (error) => end({ "error.type": errorType(error) }),
    };
  }

  return {
    start,
    async during(request, send) {
      const call = start(request);
      try {
        const response = await send(call.headers);
        call.answered(response.statusCode);
        return response;
      } catch (error) {
        call.failed(error);
        throw error;
      }
    },
  };
}

function describeServer({ protocol, hostname, port }: URL): Attributes {
  const address = hostname.replace(/^\[|\]$/g, "");
  return { "server.address": address, "server.port": Number(port) || (protocol === "https:" ? 443 : 80) };
}
