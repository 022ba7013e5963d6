import type { z } from "zod";
import { AUTH_EVENTS } from "./auth-events.ts";
import { USER_EVENTS } from "./user-events.ts";

/**
 * Every event of the system, by subject (docs/reference/events.md). Types, validation at both ends and docs/asyncapi.json
 * come from here. Data only gains fields; a breaking change is a new subject.
 */
export const EVENTS = { ...AUTH_EVENTS, ...USER_EVENTS };

export type EventSubject = keyof typeof EVENTS;
export type EventData<S extends EventSubject> = z.output<(typeof EVENTS)[S]["data"]>;

/** The events that end access tokens. The relay publishes them first, and watermarks cover them. */
export const REVOKING_SUBJECTS: ReadonlySet<EventSubject> = new Set(
  (Object.keys(EVENTS) as EventSubject[]).filter((subject) => EVENTS[subject].endsTokens),
);
