import { DetailedHealth, Health, NO_METADATA } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { Upstream } from "@gatehouse/upstream";
import { z } from "zod";
import { getJson } from "../forwarding/forward.ts";

const CACHE_MS = 5_000;

/** A route as the document needs it; `path` has parameters as `:id`. */
interface ForwardedRoute<Service extends string = string> {
  readonly method: string;
  readonly path: string;
  readonly service: Service;
}

interface OpenApiDocument {
  readonly openapi: string;
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const INFO = {
  title: "Gatehouse",
  version: "1.0.0",
  description:
    "Accounts, sessions and users behind one gateway. Every error is problem+json; a client switches on its `type`.",
};

export interface OpenApiServiceDeps<Service extends string> {
  readonly routes: readonly ForwardedRoute<Service>[];
  readonly upstreams: Readonly<Record<Service, Upstream>>;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * Creates the service of the API document: the forwarded routes of all services, cached for 5 s. Its method throws
 * AppError ServiceUnavailable while a service is down.
 */
export function createOpenApiService<Service extends string>({
  routes,
  upstreams,
  now = () => performance.now(),
}: OpenApiServiceDeps<Service>) {
  let cached: { until: number; document: Promise<object> } | undefined;

  async function fetchAndMerge(): Promise<object> {
    const services = Object.keys(upstreams) as Service[];
    const documents = await Promise.all(
      services.map(async (name) => [name, await fetchDocument(upstreams[name])] as const),
    );
    return mergeDocuments(routes, Object.fromEntries(documents) as Record<Service, OpenApiDocument>);
  }

  return {
    document(): Promise<object> {
      const time = now();
      if (!cached || cached.until <= time) {
        const document = fetchAndMerge();
        cached = { until: time + CACHE_MS, document };
        // A failure is not cached.
        document.catch(() => (cached = undefined));
      }
      return cached.document;
    },
  };
}
export type OpenApiService = ReturnType<typeof createOpenApiService>;

async function fetchDocument(upstream: Upstream): Promise<OpenApiDocument> {
  try {
    return (await getJson(upstream, "/openapi.json")) as OpenApiDocument;
  } catch (cause) {
    throw new AppError("ServiceUnavailable", {
      detail: "The API document is unavailable because a backend service is down; try again shortly.",
      cause,
    });
  }
}

/** Merges the routes that the table forwards to each service, and every shared component once. */
function mergeDocuments<Service extends string>(
  routes: readonly ForwardedRoute<Service>[],
  documents: Readonly<Record<Service, OpenApiDocument>>,
): object {
  const paths: Record<string, Record<string, unknown>> = ownPaths();
  for (const { method, path, service } of routes) {
    const template = path.replaceAll(/:(\w+)/g, "{$1}");
    const operation = documents[service].paths?.[template]?.[method.toLowerCase()];
    if (operation !== undefined) (paths[template] ??= {})[method.toLowerCase()] = operation;
  }
  const components: Record<string, Record<string, unknown>> = {};
  for (const document of Object.values<OpenApiDocument>(documents)) {
    // All services use the same contracts, so schemas of one name are equal.
    for (const [kind, entries] of Object.entries(document.components ?? {}))
      components[kind] = { ...components[kind], ...entries };
  }
  return { openapi: "3.1.0", info: INFO, servers: [{ url: "/" }], paths, components };
}

function ownPaths(): Record<string, Record<string, unknown>> {
  return {
    "/health": { get: describe("The gateway's own process", { 200: Health }) },
    "/health/detailed": {
      get: describe("The whole system as the gateway sees it", { 200: DetailedHealth, 503: DetailedHealth }),
    },
  };
}

function describe(summary: string, schemas: Readonly<Record<number, z.ZodType>>): object {
  const responses = Object.entries(schemas).map(([status, schema]) => {
    const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io: "output", metadata: NO_METADATA });
    return [status, { description: summary, content: { "application/json": { schema: json } } }] as const;
  });
  return { summary, tags: ["health"], responses: Object.fromEntries(responses) };
}
