import { z } from "zod";
import { timestamp } from "../fields.ts";

/** CloudEvents 1.0, structured mode, with this system's extensions (docs/reference/events.md). */
export const eventEnvelope = z.object({
  specversion: z.literal("1.0"),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string().min(1),
  time: timestamp(),
  datacontenttype: z.literal("application/json"),
  correlationid: z.string().optional(),
  traceparent: z.string().optional(),
  /** The id of the user who caused the event; absent when no user did. */
  actor: z.string().optional(),
  /** Grows by one with every change of that user in that service; absent when the subject is not a user. */
  version: z.int().nonnegative().optional(),
});

/** An event without its data. */
export type EventEnvelope = z.output<typeof eventEnvelope>;
