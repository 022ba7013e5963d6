import { describe, expect, it } from "vitest";
import { checkQuery, type Instrument, readQuery, seriesNames, seriesOf } from "../../src/prometheus/index.ts";

describe("seriesNames", () => {
  it.each<[name: string, unit: string, kind: Instrument["kind"], series: string[]]>([
    ["gatehouse.logins", "{login}", "counter", ["gatehouse_logins_total"]],
    ["nodejs.eventloop.time", "s", "counter", ["nodejs_eventloop_time_seconds_total"]],
    ["requests.total", "1", "counter", ["requests_total"]],
    ["total.bytes", "By", "counter", ["bytes_total"]],
    ["db.client.connection.count", "{connection}", "up_down_counter", ["db_client_connection_count"]],
    ["v8js.memory.heap.used", "By", "up_down_counter", ["v8js_memory_heap_used_bytes"]],
    ["gatehouse.outbox.oldest_age", "s", "gauge", ["gatehouse_outbox_oldest_age_seconds"]],
    ["nodejs.eventloop.utilization", "1", "gauge", ["nodejs_eventloop_utilization_ratio"]],
    ["seconds.left", "s", "gauge", ["seconds_left"]],
    ["without.a-unit", "", "gauge", ["without_a_unit"]],
    [
      "http.server.request.duration",
      "s",
      "histogram",
      [
        "http_server_request_duration_seconds_bucket",
        "http_server_request_duration_seconds_sum",
        "http_server_request_duration_seconds_count",
      ],
    ],
  ])("names the series of %s in %j, a %s", (name, unit, kind, series) => {
    expect(seriesNames({ name, unit, kind })).toEqual(series);
  });

  it("rejects an unknown unit", () => {
    expect(() => seriesNames({ name: "a.length", unit: "m", kind: "gauge" })).toThrow(
      "The unit m of a.length is unknown",
    );
  });
});

describe("readQuery", () => {
  it("returns metrics, labels and groupings", () => {
    expect(
      readQuery('sum by (job) (rate(a_total{job=~"x|y", code!=""}[5m])) / on (job) group_left (zone) max by (job) (b)'),
    ).toEqual({
      selectors: [
        { metric: "a_total", labels: ["job", "code"] },
        { metric: "b", labels: [] },
      ],
      groupings: [
        { labels: ["job"], metrics: ["a_total"] },
        { labels: ["job"], metrics: ["a_total", "b"] },
        { labels: ["zone"], metrics: ["a_total", "b"] },
        { labels: ["job"], metrics: ["b"] },
      ],
    });
  });

  it.each(["", "sum by (job", "rate(a[5 m])", "median(a)", "a{job=b}"])("rejects invalid PromQL: %j", (text) => {
    expect(() => readQuery(text)).toThrow("Invalid PromQL at");
  });

  it("rejects a selector without a metric name", () => {
    expect(() => readQuery('count({job="a"})')).toThrow("has no metric name");
  });
});

describe("checkQuery", () => {
  const known = seriesOf([
    { name: "a.duration", unit: "s", kind: "histogram", attributes: ["http.route"], bounds: [0.05, 0.1] },
    { name: "a.duration", unit: "s", kind: "histogram", attributes: ["error.type"] },
    { name: "b", unit: "{thing}", kind: "counter", attributes: [] },
  ]);

  it.each<[query: string, complaints: string[]]>([
    ["histogram_quantile(0.99, sum by (le, http_route) (rate(a_duration_seconds_bucket[5m])))", []],
    ['sum by (job, instance) (rate(a_duration_seconds_count{error_type!=""}[5m]))', []],
    ["ALERTS{alertstate='firing'}", []],
    ['a_duration_seconds_bucket{le="0.05"} / ignoring (le) a_duration_seconds_bucket{le="+Inf"}', []],
    ['a_duration_seconds_bucket{le="0.07"}', ["a_duration_seconds_bucket has no bucket up to 0.07"]],
    ['a_duration_seconds_bucket{le=~"0.07"}', []],
    ["b", ["no service sends b"]],
    ['rate(b_total{outcome="x"}[5m])', ["b_total has no label outcome"]],
    [
      "sum by (le) (a_duration_seconds_count)",
      ["no metric of the grouping has the label le: a_duration_seconds_count"],
    ],
    [
      "sum by (outcome) (b_total) / on (job, zone) a_duration_seconds_sum",
      [
        "no metric of the grouping has the label outcome: b_total",
        "no metric of the grouping has the label zone: b_total, a_duration_seconds_sum",
      ],
    ],
    ["sum(", ['Invalid PromQL at 4, before ""']],
  ])("%s", (query, complaints) => {
    expect(checkQuery(query, known)).toEqual(complaints);
  });
});
