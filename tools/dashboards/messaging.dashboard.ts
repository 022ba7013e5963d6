import type { DashboardDescription, RowDescription } from "./description.ts";
import { increase, most, quantiles, rate } from "./promql.ts";

const PROCESSED = "messaging_process_duration_seconds";
const EVENTS = "gatehouse_consumer_events_total";

const outbox: RowDescription = {
  title: "Outbox",
  panels: [
    {
      type: "graph",
      title: "Waiting to be published",
      description: "Rows of the database, the same at every replica. Good is near zero; it grows while NATS is away.",
      runbook: "outbox-stuck",
      width: 6,
      unit: "short",
      queries: [{ query: most("gatehouse_outbox_depth", ["stream"]), legend: "{{stream}}" }],
    },
    {
      type: "graph",
      title: "Age of the oldest",
      description: "What consumers, the views of revocations among them, do not know yet. Good is below a second.",
      runbook: "outbox-age-budget-burn",
      width: 6,
      unit: "s",
      bad: 5,
      queries: [{ query: most("gatehouse_outbox_oldest_age_seconds", ["stream"]), legend: "{{stream}}" }],
    },
    {
      type: "graph",
      title: "Published",
      description: "Events that JetStream acknowledged.",
      width: 6,
      unit: "ops",
      queries: [{ query: rate("gatehouse_outbox_published_total", ["stream"]), legend: "{{stream}}" }],
    },
    {
      type: "graph",
      title: "Not acknowledged",
      description: "Publishes that failed; they are tried again. Good is zero.",
      width: 6,
      unit: "ops",
      bad: 0.1,
      queries: [{ query: rate("gatehouse_outbox_failures_total", ["stream"]), legend: "{{stream}}" }],
    },
  ],
};

const consumers: RowDescription = {
  title: "Consumers",
  panels: [
    {
      type: "graph",
      title: "Events by outcome",
      description: "`failed` is tried again, six times at most. Good: all `handled`.",
      width: 6,
      unit: "ops",
      queries: [{ query: rate(EVENTS, ["consumer", "outcome"]), legend: "{{consumer}} {{outcome}}" }],
    },
    {
      type: "graph",
      title: "Lag",
      description:
        "Events in the stream that a consumer has not acknowledged. Good is near zero; one that grows is stuck or too slow.",
      runbook: "consumer-behind",
      width: 6,
      unit: "short",
      queries: [
        {
          query: most("gatehouse_consumer_lag", ["consumer", "stream"]),
          legend: "{{consumer}} on {{stream}}",
        },
      ],
    },
    {
      type: "graph",
      title: "Duration of one event",
      description: "From delivery to acknowledgement, its SQL included. Good is a few milliseconds.",
      width: 6,
      unit: "s",
      queries: quantiles(PROCESSED, ["messaging_consumer_group_name"]),
    },
    {
      type: "graph",
      title: "Failures by error",
      description:
        "Of processing, infrastructure included: a database that is away shows here and makes no dead letter.",
      width: 6,
      unit: "ops",
      queries: [
        {
          query: rate(`${PROCESSED}_count`, ["messaging_consumer_group_name", "error_type"], 'error_type!=""'),
          legend: "{{messaging_consumer_group_name}} {{error_type}}",
        },
      ],
    },
  ],
};

const DEAD = 'outcome="dead_lettered"';

const deadLetters: RowDescription = {
  title: "Dead letters",
  panels: [
    {
      type: "graph",
      title: "Dead letters, an hour",
      description:
        "Events that a consumer gave up on. Nothing is lost, and nothing happens until somebody looks. Good is zero.",
      runbook: "dead-letters",
      width: 12,
      unit: "short",
      bad: 1,
      queries: [{ query: increase(EVENTS, ["consumer"], "1h", DEAD), legend: "{{consumer}}" }],
    },
    {
      type: "table",
      title: "Dead letters in the time shown",
      description: "By consumer and subject.",
      runbook: "dead-letters",
      width: 12,
      unit: "short",
      query: `${increase(EVENTS, ["consumer", "subject"], "$__range", DEAD)} > 0`,
    },
  ],
};

/** Whether what happened in one service is known in the others. */
export const MESSAGING: DashboardDescription = {
  name: "messaging",
  title: "Messaging",
  description: "Events from the outbox to the last consumer, and those that were given up on.",
  rows: [outbox, consumers, deadLetters],
};
