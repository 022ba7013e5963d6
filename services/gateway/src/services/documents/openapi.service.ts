import { DetailedHealth, Health } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { Upstream } from "@gatehouse/upstream";
import { z } from "zod";
import { getJson } from "../forwarding/forward.ts";

const KEPT_MS = 5_000;

/** A route as the document needs it; `path` has parameters as `:id`. */
export interface ForwardedRoute<Service extends string = string> {
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

/**
 * The one document for all services: what each service says about its routes, as far as they are forwarded.
 * It is put together at most every 5 s. @throws AppError ServiceUnavailable while a service is away
 */
export function createOpenApiService<Service extends string>(
  routes: readonly ForwardedRoute<Service>[],
  upstreams: Readonly<Record<Service, Upstream>>,
  now: () => number = () => performance.now(),
) {
  let kept: { until: number; document: Promise<object> } | undefined;

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
      if (!kept || kept.until <= time) {
        const document = fetchAndMerge();
        kept = { until: time + KEPT_MS, document };
        // A failure is nobody's answer but that of who waits for it now.
        document.catch(() => (kept = undefined));
      }
      return kept.document;
    },
  };
}
export type OpenApiService = ReturnType<typeof createOpenApiService>;

async function fetchDocument(upstream: Upstream): Promise<OpenApiDocument> {
  try {
    return (await getJson(upstream, "/openapi.json")) as OpenApiDocument;
  } catch (cause) {
    throw new AppError("ServiceUnavailable", { detail: "A service that has a part of the document is away.", cause });
  }
}

/** Takes from each service's document the routes that the table forwards to it, and every shared component once. */
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
    // The services take their schemas from the same contracts, so what has the same name is the same.
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

function describe(summary: string, answers: Readonly<Record<number, z.ZodType>>): object {
  const responses = Object.entries(answers).map(([status, schema]) => {
    const whole: Record<string, unknown> = z.toJSONSchema(schema, { io: "output" });
    const { $schema: _, id: __, ...json } = whole;
    return [status, { description: summary, content: { "application/json": { schema: json } } }] as const;
  });
  return { summary, tags: ["health"], responses: Object.fromEntries(responses) };
}
