import type { DashboardDescription, RowDescription } from "./description.ts";
import { increase, most, quantiles, rate, total } from "./promql.ts";

const LAG = "gatehouse_revocation_lag_seconds";

const signingIn: RowDescription = {
  title: "Signing in",
  panels: [
    {
      type: "graph",
      title: "Logins by outcome",
      description:
        "`invalid_credentials` in step with `succeeded` is people mistyping; alone and steady it is somebody guessing. Good: no `overloaded`, no `failed`.",
      unit: "ops",
      stacked: true,
      queries: [{ query: rate("gatehouse_logins_total", ["outcome"]), legend: "{{outcome}}" }],
    },
    {
      type: "graph",
      title: "Refreshes by outcome",
      description:
        "`reused` is a second tab within the grace; `refused` an unknown, expired or ended token. Good: nearly all `rotated`, no `replayed`, no `failed`.",
      unit: "ops",
      stacked: true,
      queries: [{ query: rate("gatehouse_refreshes_total", ["outcome"]), legend: "{{outcome}}" }],
    },
    {
      type: "graph",
      title: "Replays of a refresh token, an hour",
      description:
        "A rotated token was used again and its session ended: a stolen token, or a client that keeps an old one. Good is zero; many at once are a client's bug.",
      runbook: "refresh-replays",
      unit: "short",
      bad: 1,
      queries: [{ query: increase("gatehouse_refresh_replays_total", ["job"], "1h"), legend: "{{job}}" }],
    },
  ],
};

const hashing: RowDescription = {
  title: "Password hashing",
  panels: [
    {
      type: "graph",
      title: "One hash",
      description:
        "Its own time, by hashing and verifying. As `pnpm bench:login` measured on such a machine; twice as much means that the cores are wanted by others.",
      width: 6,
      unit: "s",
      queries: quantiles("gatehouse_password_hash_duration_seconds", ["operation"]),
    },
    {
      type: "graph",
      title: "Wait for a turn",
      description: "What a login spends in the queue. Good is a median of nothing and a p99 below a second.",
      runbook: "password-hashing-saturated",
      width: 6,
      unit: "s",
      bad: 1,
      queries: quantiles("gatehouse_password_hash_wait_seconds", []),
    },
    {
      type: "graph",
      title: "Queue",
      description:
        "Logins that wait, and hashes being computed. Waiting all the time: more cores or replicas for auth.",
      width: 6,
      unit: "short",
      queries: [
        {
          query: total("gatehouse_password_hash_queue_depth", ["instance"]),
          legend: "{{instance}} waiting",
        },
        { query: total("gatehouse_password_hash_running", ["instance"]), legend: "{{instance}} running" },
      ],
    },
    {
      type: "graph",
      title: "Turned away",
      description: "The queue was full: 503 at once instead of an answer too late. Good is zero.",
      runbook: "password-hashing-saturated",
      width: 6,
      unit: "ops",
      bad: 0.1,
      queries: [{ query: rate("gatehouse_password_hash_rejections_total", ["instance"]), legend: "{{instance}}" }],
    },
  ],
};

const revocation: RowDescription = {
  title: "Revocation",
  panels: [
    {
      type: "graph",
      title: "Revocations by reason",
      description:
        "What ended sessions and tokens. `replay` has its own panel above; a burst of one reason has a cause.",
      unit: "ops",
      stacked: true,
      queries: [{ query: rate("gatehouse_revocations_total", ["reason"]), legend: "{{reason}}" }],
    },
    {
      type: "graph",
      title: "Lag from commit to applied",
      description:
        "How long a token lived on after the transaction that revoked it, in each verifier. The promise: p99 at 50 ms or less.",
      runbook: "revocation-lag-budget-burn",
      unit: "s",
      bad: 0.05,
      queries: quantiles(LAG, ["job"]),
    },
    {
      type: "graph",
      title: "Applied within 50 ms",
      description: "The share of revocations. Good is 0.99 or more.",
      unit: "percentunit",
      queries: [
        {
          query: `${rate(`${LAG}_bucket`, ["job"], 'le="0.05"')} / ${rate(`${LAG}_count`, ["job"])}`,
          legend: "{{job}}",
        },
      ],
    },
    {
      type: "graph",
      title: "Age of the view",
      description:
        "Since auth last vouched for a verifier's view of revocations. Good is below two seconds; above REVOCATION_MAX_STALENESS_SECONDS auth is asked about every token.",
      runbook: "revocation-view-not-current",
      width: 6,
      unit: "s",
      bad: 5,
      queries: [
        {
          query: most("gatehouse_revocation_view_staleness_seconds", ["job", "instance"]),
          legend: "{{job}} {{instance}}",
        },
      ],
    },
    {
      type: "graph",
      title: "Entries of the view",
      description: "Revocations of the last one to two token lifetimes. Replicas agree but for a moment.",
      width: 6,
      unit: "short",
      queries: [
        {
          query: most("gatehouse_revocation_view_entries", ["job", "instance"]),
          legend: "{{job}} {{instance}}",
        },
      ],
    },
    {
      type: "graph",
      title: "Who decides about tokens, changes an hour",
      description:
        "`view` is as it should be. `auth`: the view is not current and auth is asked. `nobody`: neither, requests get 503.",
      width: 6,
      unit: "short",
      queries: [
        {
          query: increase("gatehouse_revocation_decider_changes_total", ["job", "decider"], "1h"),
          legend: "{{job}} to {{decider}}",
        },
      ],
    },
    {
      type: "graph",
      title: "Questions to auth",
      description: "Introspection, while the view is not current. Good is zero; `unreachable` and `faulty` end in 503.",
      runbook: "introspection-failing",
      width: 6,
      unit: "ops",
      queries: [
        { query: rate("gatehouse_introspection_requests_total", ["job", "outcome"]), legend: "{{job}} {{outcome}}" },
      ],
    },
  ],
};

/** Whether people get in, and whether those who must not get in stay out. */
export const AUTH: DashboardDescription = {
  name: "auth",
  title: "Auth and revocation",
  description: "Logins and refreshes, password hashing, and how fast a revocation is everywhere.",
  rows: [signingIn, hashing, revocation],
};
