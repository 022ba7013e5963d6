import type { z } from "zod";

/** One event: the schema that both ends validate its data with, and what docs/asyncapi.json says about it. */
export interface EventDeclaration<S extends z.ZodType> {
  /** Says what happened, in one or two sentences, for readers of docs/asyncapi.json. */
  readonly summary: string;
  /** A loose object, because later builds add fields. */
  readonly data: S;
  /** Data for the document. It names no real person: only EXAMPLE_IDS and reserved addresses. */
  readonly example: z.output<S>;
  /** True when the event ends access tokens. The relay publishes such events first, and watermarks cover them. */
  readonly endsTokens?: true;
}

/** Returns the declaration; it exists so that the compiler checks the example against the schema. */
export function declareEvent<S extends z.ZodType>(declaration: EventDeclaration<S>): EventDeclaration<S> {
  return declaration;
}

/** The user in the examples, a session of that user, and the admin who changes the user. */
export const EXAMPLE_IDS = {
  user: "0199a1c0-7a00-7000-8000-000000000001",
  session: "0199a1c0-7a00-7000-8000-000000000002",
  actor: "0199a1c0-7a00-7000-8000-00000000000a",
} as const;
