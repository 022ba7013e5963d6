import type { DashboardDescription, RowDescription } from "./description.ts";
import { most, quantile, quantiles, rate, share, total } from "./promql.ts";

const REQUESTS = "http_server_request_duration_seconds";
const HALF = 12;

const requests: RowDescription = {
  title: "Requests",
  panels: [
    {
      type: "graph",
      title: "Requests by service",
      description:
        "Health checks aside. One request of a client is one at the gateway and one or two behind it, so the lines move together; one that parts is a service that is not reached, or that asks itself.",
      unit: "reqps",
      queries: [{ query: rate(`${REQUESTS}_count`, ["job"]), legend: "{{job}}" }],
    },
    {
      type: "graph",
      title: "Share of 5xx",
      description:
        "Good is zero. The gateway's line is what clients see: compare it with those below to find the service that fails.",
      runbook: "availability-budget-burn",
      unit: "percentunit",
      bad: 0.001,
      queries: [{ query: share(`${REQUESTS}_count`, ["job"], 'http_response_status_code=~"5.."'), legend: "{{job}}" }],
    },
    {
      type: "graph",
      title: "Duration by service",
      description:
        "Median and the slowest hundredth. Logins hash a password and set the slow end; a median above 50 ms means that everything waits: see saturation below.",
      runbook: "latency-budget-burn",
      unit: "s",
      queries: quantiles(REQUESTS, ["job"]),
    },
    {
      type: "graph",
      title: "Requests by route",
      description: "The ten busiest. One that is new here is a client with a new habit, or in a loop.",
      width: HALF,
      unit: "reqps",
      queries: [
        {
          query: `topk(10, ${rate(`${REQUESTS}_count`, ["job", "http_request_method", "http_route"])})`,
          legend: "{{job}} {{http_request_method}} {{http_route}}",
        },
      ],
    },
    {
      type: "graph",
      title: "Slowest routes, p99",
      description: "Good: logging in and whatever sets a password below a second, everything else below 100 ms.",
      width: HALF,
      unit: "s",
      queries: [
        {
          query: `topk(10, ${quantile(0.99, REQUESTS, ["job", "http_request_method", "http_route"])})`,
          legend: "{{job}} {{http_request_method}} {{http_route}}",
        },
      ],
    },
    {
      type: "graph",
      title: "Answers by status",
      description:
        "A rise of 401 or 429 alone is somebody trying; of 503 and 504, a service or a dependency that is away.",
      unit: "reqps",
      stacked: true,
      queries: [
        {
          query: rate(`${REQUESTS}_count`, ["http_response_status_code"], 'http_response_status_code!=""'),
          legend: "{{http_response_status_code}}",
        },
      ],
    },
    {
      type: "graph",
      title: "Errors by type",
      description:
        "The types of the contract (InternalError, ServiceUnavailable, GatewayTimeout); `aborted` is a client that left before its answer. Good is nothing but some `aborted`.",
      unit: "reqps",
      queries: [
        { query: rate(`${REQUESTS}_count`, ["job", "error_type"], 'error_type!=""'), legend: "{{job}} {{error_type}}" },
      ],
    },
    {
      type: "graph",
      title: "Refused by a limit",
      description: "Requests answered 429, by the limit that they met. Steady on login: somebody guesses passwords.",
      runbook: "rate-limit-spike",
      unit: "reqps",
      queries: [{ query: rate("gatehouse_rate_limit_rejections_total", ["limit"]), legend: "{{limit}}" }],
    },
  ],
};

const PROCESS = ["job", "instance"];
const POOL = [...PROCESS, "db_client_connection_pool_name"];
const EACH = "{{job}} {{instance}}";
const EACH_POOL = "{{job}} {{instance}} {{db_client_connection_pool_name}}";
const QUARTER = 6;

const saturation: RowDescription = {
  title: "Saturation",
  panels: [
    {
      type: "graph",
      title: "Event loop delay, p99",
      description:
        "How late a timer fires: what every request of that process waits at least. Good is below 20 ms; above 100 ms it has more to compute than it can.",
      runbook: "event-loop-delayed",
      width: QUARTER,
      unit: "s",
      bad: 0.1,
      queries: [{ query: most("nodejs_eventloop_delay_p99_seconds", PROCESS), legend: EACH }],
    },
    {
      type: "graph",
      title: "Event loop in use",
      description: "Its share of the time. Above 0.8 a replica more is due.",
      width: QUARTER,
      unit: "percentunit",
      bad: 0.8,
      queries: [{ query: most("nodejs_eventloop_utilization_ratio", PROCESS), legend: EACH }],
    },
    {
      type: "graph",
      title: "Heap in use",
      description: "Goes up and down with collections of garbage. One that only rises is a leak.",
      width: QUARTER,
      unit: "bytes",
      queries: [{ query: total("v8js_memory_heap_used_bytes", PROCESS), legend: EACH }],
    },
    {
      type: "graph",
      title: "Collecting garbage",
      description: "The share of the time that it takes. Good is below 0.05; more is a heap that is too small.",
      width: QUARTER,
      unit: "percentunit",
      bad: 0.1,
      queries: [{ query: rate("v8js_gc_duration_seconds_sum", PROCESS), legend: EACH }],
    },
    {
      type: "graph",
      title: "Database pool in use",
      description: "The share of the connections that it may have. Good is below 0.8; at 1 requests wait for one.",
      width: QUARTER,
      unit: "percentunit",
      bad: 0.8,
      queries: [
        {
          query: `${total("db_client_connection_count", POOL, 'db_client_connection_state="used"')} / ${total("db_client_connection_max", POOL)}`,
          legend: EACH_POOL,
        },
      ],
    },
    {
      type: "graph",
      title: "Wait for a connection, p99",
      description: "Good is below a millisecond; the opening of a new connection is in it.",
      width: QUARTER,
      unit: "s",
      bad: 0.1,
      queries: [{ query: quantile(0.99, "db_client_connection_wait_time_seconds", POOL), legend: EACH_POOL }],
    },
    {
      type: "graph",
      title: "Waiting for a connection",
      description: "In the queue of the pool, and given up a second, after DB_POOL_TIMEOUT. Good is zero.",
      runbook: "database-pool-exhausted",
      width: QUARTER,
      unit: "short",
      bad: 1,
      queries: [
        { query: total("db_client_connection_pending_requests", POOL), legend: `${EACH_POOL} waiting` },
        { query: rate("db_client_connection_timeouts_total", POOL), legend: `${EACH_POOL} given up` },
      ],
    },
    {
      type: "graph",
      title: "Waiting for a hash",
      description: "In the queue of password hashing, and hashes being computed. The dashboard on auth says more.",
      runbook: "password-hashing-saturated",
      width: QUARTER,
      unit: "short",
      queries: [
        { query: total("gatehouse_password_hash_queue_depth", PROCESS), legend: `${EACH} waiting` },
        { query: total("gatehouse_password_hash_running", PROCESS), legend: `${EACH} running` },
      ],
    },
  ],
};

const STATEMENTS = "db_client_operation_duration_seconds";

const dependencies: RowDescription = {
  title: "Dependencies",
  panels: [
    {
      type: "graph",
      title: "Database, duration",
      description: "Of statements, the wait for a connection not included. Good: a median of a millisecond or two.",
      width: QUARTER,
      unit: "s",
      queries: quantiles(STATEMENTS, ["job"]),
    },
    {
      type: "graph",
      title: "Slowest statements, p99",
      description: "By verb and table. A trace of the request has the statement itself.",
      width: QUARTER,
      unit: "s",
      queries: [
        {
          query: `topk(10, ${quantile(0.99, STATEMENTS, ["job", "db_operation_name", "db_collection_name"])})`,
          legend: "{{job}} {{db_operation_name}} {{db_collection_name}}",
        },
      ],
    },
    {
      type: "graph",
      title: "Database, failures",
      description:
        "By SQLSTATE or error. 23505 is an email that is taken already; 40001 and 40P01 are tried again; 08xxx, 57xxx and ECONNREFUSED are a server that is away.",
      width: QUARTER,
      unit: "ops",
      queries: [
        {
          query: rate(`${STATEMENTS}_count`, ["job", "error_type"], 'error_type!=""'),
          legend: "{{job}} {{error_type}}",
        },
      ],
    },
    {
      type: "graph",
      title: "Other services, duration",
      description: "Requests from one service to another as the caller sees them, each try by itself.",
      width: QUARTER,
      unit: "s",
      queries: quantiles("http_client_request_duration_seconds", ["job"]),
    },
  ],
};

const happening: RowDescription = {
  title: "What needs somebody",
  panels: [
    {
      type: "table",
      title: "Alerts",
      description:
        "Rules of deploy/observability/alerts that hold now. Good is empty. Each names its runbook in Prometheus.",
      width: HALF,
      unit: "short",
      query: 'ALERTS{alertstate=~"pending|firing"}',
    },
    {
      type: "logs",
      title: "Warnings and errors",
      description:
        "Of all services, when they send their logs (OTEL_LOGS_EXPORTER=otlp). A line leads to its trace; good is quiet.",
      width: HALF,
      query: '{service_name=~"$service"} | detected_level=~"warn|error|fatal"',
    },
  ],
};

/** The first look: do clients get answers, how fast, and what is short. */
export const OVERVIEW: DashboardDescription = {
  name: "overview",
  title: "Overview",
  description: "Requests, errors and duration by service and route; what is short; what the services depend on.",
  rows: [happening, requests, saturation, dependencies],
};
