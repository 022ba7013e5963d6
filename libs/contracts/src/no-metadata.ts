import { z } from "zod";

/**
 * The `metadata` option of `z.toJSONSchema` for a schema that is complete in itself. An empty registry leaves out ids and formats, so
 * zod writes every schema inline and refers to no `$defs`.
 */
export const NO_METADATA = z.registry<Record<string, never>>();
