export { type AdminClient, createClient, type GatehouseClient, type LoginOptions } from "./client.ts";
export { isProblem, ProblemError, UnexpectedAnswerError } from "./problem-error.ts";
export type { Tokens, TransportOptions as ClientOptions } from "./transport.ts";
