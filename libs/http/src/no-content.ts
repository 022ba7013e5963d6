import { z } from "zod";

/** The answer schema of a route that answers 204: `response: { 204: NoContent }`, sent by `reply.code(204).send()`. */
export const NoContent = z.undefined().describe("Done; there is no body");
