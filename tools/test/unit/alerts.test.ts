import { stackRules } from "@gatehouse/test-kit/prometheus";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runOps } from "../ops-command.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string) => readFileSync(`${ROOT}${path}`, "utf8");

const ALERTS = stackRules().flatMap(({ alert, ...rule }) => (alert === undefined ? [] : [{ alert, ...rule }]));
const NAMES = [...new Set(ALERTS.map(({ alert }) => alert))];

/** `OutboxStuck` has the page `outbox-stuck.md`. */
const pageOf = (alert: string) =>
  `docs/operations/runbooks/${alert.replaceAll(/(?<!^)[A-Z]/g, "-$&").toLowerCase()}.md`;
const severitiesOf = (alert: string) =>
  new Set(ALERTS.filter((rule) => rule.alert === alert).map(({ labels }) => labels?.["severity"] ?? "none"));

describe("alert", () => {
  it.each(ALERTS)("has a severity, texts and a runbook: $alert, $labels", ({ alert, labels, annotations }) => {
    expect(["page", "ticket"]).toContain(labels?.["severity"]);
    expect(annotations).toEqual({
      summary: expect.stringMatching(/.{10}/),
      description: expect.stringMatching(/.{40}/),
      runbook: pageOf(alert),
    });
  });

  it.each(NAMES)("has a runbook of its name: %s", (alert) => {
    expect(read(pageOf(alert))).toMatch(new RegExp(`^# ${alert}\\n`));
  });

  it("exists for each runbook", () => {
    expect(globSync("docs/operations/runbooks/*", { cwd: ROOT }).toSorted()).toEqual(NAMES.map(pageOf).toSorted());
  });
});

describe("the table of alerts", () => {
  const rows = [
    ...read("docs/operations/slo.md").matchAll(/^- \[(\w+)\]\((runbooks\/[\w-]+\.md)\)\n {2}- Severity: ([a-z, ]+)$/gm),
  ].map(([, alert = "", page = "", severities = ""]) => ({ alert, page, severities: severities.split(", ") }));

  it("lists each alert with its runbook and severities", () => {
    expect(rows.map(({ alert }) => alert).toSorted()).toEqual(NAMES.toSorted());
    for (const { alert, page, severities } of rows)
      expect([alert, `docs/operations/${page}`, new Set(severities)]).toEqual([
        alert,
        pageOf(alert),
        severitiesOf(alert),
      ]);
  });
});

interface AlertTest {
  readonly alertname: string;
  readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>> }[];
}

describe("promtool's tests", () => {
  const tests = globSync("deploy/observability/alerts/test/*.yml", { cwd: ROOT }).flatMap((file) => {
    const { tests: groups } = parse(read(file)) as { tests: readonly { alert_rule_test: readonly AlertTest[] }[] };
    return groups.flatMap((group) => group.alert_rule_test);
  });

  it.each(NAMES)("cover firing at each severity, and not firing: %s", (alert) => {
    const expected = tests.filter(({ alertname }) => alertname === alert).map((test) => test.exp_alerts);
    const fired = expected.flat().map(({ exp_labels: labels }) => labels["severity"]);
    expect(new Set(fired)).toEqual(severitiesOf(alert));
    expect(expected.filter((alerts) => alerts.length === 0).length).toBeGreaterThan(1);
  });
});

describe("the commands of runbooks", () => {
  const scripts = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);
  const commands = globSync("docs/operations/runbooks/*.md", { cwd: ROOT }).flatMap((file) =>
    [...read(file).matchAll(/(?:^|`)pnpm ([^`\n]+)/gm)].map(([, command = ""]) => ({ file, command })),
  );

  it.each(commands)("exist: pnpm $command ($file)", async ({ command }) => {
    const words = command.split(" ");
    expect(scripts).toContain(words[0]);
    if (words[0] !== "ops") return;
    const end = words.findIndex((word) => word.startsWith("-"));
    const path = words.slice(1, end < 0 ? undefined : end);
    const { output } = await runOps({}, [...path, "--help"]);
    expect(output).toMatch(new RegExp(`^Usage: pnpm ${["ops", ...path].join(" ")} `));
    for (const option of words.filter((word) => word.startsWith("--"))) expect(output).toContain(` ${option}`);
  });

  it("are more than 20", () => {
    expect(commands.length).toBeGreaterThan(20);
  });
});

const SOURCES = globSync("{libs,services}/*/src/**/*.ts", { cwd: ROOT }).map(read);

describe("log lines in runbooks", () => {
  /** Texts of PostgreSQL, of a dashboard and of `pnpm ops events dead`. */
  const OF_OTHERS = new Set([
    "idle in transaction",
    "Auth and revocation",
    "EventFormatError: … data: …",
    "EventFormatError: envelope: …",
    "replayed before: 1",
  ]);
  const quoted = globSync("docs/operations/runbooks/*.md", { cwd: ROOT }).flatMap((file) =>
    [...read(file).matchAll(/`(?!pnpm|node )(\w+(?:[,:]? [\w…]+){2,})`/g)].map(([, text = ""]) => ({ file, text })),
  );

  it.each(quoted.filter(({ text }) => !OF_OTHERS.has(text)))("exist in the source: $text ($file)", ({ text }) => {
    // fault-log.ts of libs/messaging adds the end of the line.
    const [part = ""] = text.split(/ (?:…|failed, retrying|recovered)/);
    expect(SOURCES.some((source) => source.includes(part))).toBe(true);
  });

  it("are more than 15", () => {
    expect(quoted.length).toBeGreaterThan(15);
  });
});
