import { type RequestContext, runInContext } from "@gatehouse/observability";
import type { Link } from "@opentelemetry/api";

/**
 * Runs work that is done for several requests at once. A span has one parent, so the work belongs to the first request that is recorded, and
 * `links` name the others that are (OpenTelemetry's specification, "Links between spans"). Where none is recorded, it belongs to the first.
 */
export function onBehalfOf<T>(requests: readonly (RequestContext | undefined)[], work: (links: Link[]) => T): T {
  const recorded = requests.flatMap((request) => (request?.span ? [{ request, span: request.span }] : []));
  const [first, ...others] = recorded;
  const owner = first?.request ?? requests[0];
  const links = others.map(({ span }) => ({ context: span.spanContext() }));
  return owner ? runInContext(owner, () => work(links)) : work(links);
}
