interface Operation {
  responses?: Record<string, unknown>;
}
export interface OpenApiDocument {
  paths?: Record<string, Record<string, Operation> | undefined>;
  components?: { schemas?: Record<string, unknown>; responses?: Record<string, unknown> };
}

/** Returns the document with the problem response as a component and as the `default` response of every operation. */
export function withProblemResponse(source: unknown): OpenApiDocument {
  const document = structuredClone(source) as OpenApiDocument;
  document.components = {
    ...document.components,
    responses: {
      ...document.components?.responses,
      Problem: {
        description: "The request failed; `type` names the error (RFC 9457)",
        headers: { "X-Correlation-ID": { schema: { type: "string" } } },
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
  for (const path of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(path ?? {})) {
      operation.responses = { ...operation.responses, default: { $ref: "#/components/responses/Problem" } };
    }
  }
  return document;
}
