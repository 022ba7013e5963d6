import { NO_METADATA } from "@gatehouse/contracts";
import fastJsonStringify, { type Schema } from "fast-json-stringify";
import type { FastifySerializerCompiler } from "fastify";
import { z } from "zod";

/**
 * Fastify's serializer compiler for zod schemas. It omits unknown fields; a missing field throws, which becomes a logged 500. It does
 * not check types again, which TypeScript has checked; that makes it fast.
 * @throws at startup, when a schema has no JSON form, for example one with `.transform()`
 */
export const serializerCompiler: FastifySerializerCompiler<z.ZodType> = ({ schema }) => {
  if (schema instanceof z.ZodUndefined) return () => "";
  const jsonSchema = z.toJSONSchema(schema, { target: "draft-7", io: "output", metadata: NO_METADATA });
  return fastJsonStringify(jsonSchema as Schema);
};
