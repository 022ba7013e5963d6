import type { OpenApiDocument } from "./openapi-problem.ts";

const PREFIX = "#/components/schemas/";

/** Returns the document without unused component schemas; the registry holds the schemas of every service. */
export function withoutUnusedSchemas(document: OpenApiDocument): OpenApiDocument {
  const schemas = document.components?.schemas ?? {};
  const used = new Set<string>();
  const queue: unknown[] = [document.paths, document.components?.responses];
  for (let value = queue.pop(); queue.length > 0 || value !== undefined; value = queue.pop()) {
    for (const name of referencesIn(value)) {
      if (used.has(name)) continue;
      used.add(name);
      queue.push(schemas[name]);
    }
  }
  const kept = Object.entries(schemas).filter(([name]) => used.has(name));
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(kept) } };
}

function referencesIn(value: unknown): string[] {
  const found: string[] = [];
  JSON.stringify(value, (key, child: unknown) => {
    if (key === "$ref" && typeof child === "string" && child.startsWith(PREFIX)) found.push(child.slice(PREFIX.length));
    return child;
  });
  return found;
}
