import { z } from "zod";

/** The response schema of a 204: `response: { 204: NoContent }`, sent with `reply.code(204).send()`. */
export const NoContent = z.undefined().describe("Done; no body");
