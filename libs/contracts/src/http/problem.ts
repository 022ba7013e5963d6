import { ERROR_CODES, type ErrorCode } from "@gatehouse/errors";
import { z } from "zod";

const codes = Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]];

/** The body of every error response (RFC 9457, docs/reference/errors.md). */
export const ProblemBody = z
  .object({
    type: z.enum(codes),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    correlation_id: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem" });
export type ProblemBody = z.output<typeof ProblemBody>;
