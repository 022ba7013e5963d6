import fastJsonStringify, { type Schema } from "fast-json-stringify";
import type { FastifySerializerCompiler } from "fastify";
import { z } from "zod";

// Without the schemas' ids and formats: everything inline, and nothing reinterpreted.
const NO_METADATA = z.registry<Record<string, never>>();

/**
 * Fastify's serialiser compiler for zod schemas. Unknown fields are left out; a missing one throws, which becomes a
 * logged 500. It does not check what the compiler already has (types), which is why it is fast.
 * @throws when the schema has no JSON form, a `.transform()` for example; the start fails then
 */
export const serializerCompiler: FastifySerializerCompiler<z.ZodType> = ({ schema }) => {
  if (schema instanceof z.ZodUndefined) return () => "";
  const jsonSchema = z.toJSONSchema(schema, { target: "draft-7", io: "output", metadata: NO_METADATA });
  return fastJsonStringify(jsonSchema as Schema);
};
