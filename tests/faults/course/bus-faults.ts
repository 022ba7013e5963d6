import type { Fault } from "./fault.ts";

/** What a bus may do to its consumers, and what a broken publisher may. */
export const BUS_FAULTS: readonly Fault[] = [
  {
    name: "events again, in another order",
    touches: "nats",
    run: ({ mischief, random }) => mischief.repeat(random),
  },
  {
    name: "messages that are no events",
    touches: "nats",
    run: ({ mischief }) => mischief.publishMalformed(),
  },
];
