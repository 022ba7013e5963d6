import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string): unknown => parse(readFileSync(`${ROOT}${path}`, "utf8"), { merge: true });

interface Service {
  readonly image: string;
  readonly profiles: readonly string[];
  readonly restart: string;
  readonly mem_limit: string;
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const compose = read("compose.yml") as Compose;
const services = Object.entries(compose.services);

/** What Compose knows of a service, as far as it is used: a word that is not here is a mistake in writing, or has to be added. */
const KEYS = new Set([
  ...["cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "logging", "mem_limit"],
  ...["ports", "profiles", "restart", "security_opt", "volumes"],
]);

describe("compose.yml", () => {
  it.each(services)(
    "has %s with known words, a version, a limit, and nothing that starts unasked",
    (_name, service) => {
      expect(Object.keys(service).filter((key) => !KEYS.has(key))).toEqual([]);
      expect(service.image).toMatch(/^[a-z-]+\/[a-z-]+:v?\d+\.\d+\.\d+$/);
      expect(service.mem_limit).toMatch(/^\d+[mg]$/);
      expect(service.restart).toBe("unless-stopped");
      expect(service.profiles).toEqual(["observability"]);
    },
  );

  it.each(services)(
    "publishes of %s on loopback only, and gives it no secret",
    (_name, { ports = [], environment = {} }) => {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
      expect(Object.keys(environment).filter((key) => /PASSWORD|SECRET|TOKEN|KEY/.test(key))).toEqual([]);
    },
  );

  it.each(services)("mounts into %s what is there", (_name, { volumes }) => {
    for (const [source = ""] of volumes.map((volume) => volume.split(":")))
      if (source.startsWith("./")) expect([source, existsSync(`${ROOT}${source}`)]).toEqual([source, true]);
      else expect(Object.keys(compose.volumes)).toContain(source);
  });

  it("waits only for services that say when they are ready", () => {
    const awaited = services.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on));
    expect(awaited.length).toBeGreaterThan(0);
    for (const [name, { condition }] of awaited)
      expect([name, condition, compose.services[name]?.healthcheck === undefined]).toEqual([
        name,
        "service_healthy",
        false,
      ]);
  });

  // Compose 1.29 is the oldest that reads profiles; both it and the plugin of today have to take the file.
  const tool = [["docker", "compose"] as const, ["docker-compose"] as const].find(
    ([command, ...rest]) => spawnSync(command, [...rest, "version"]).status === 0,
  );
  it.skipIf(tool === undefined)("is taken by the Compose of this machine", () => {
    const [command = "", ...rest] = tool ?? [];
    const { status, stderr } = spawnSync(command, [...rest, "--profile", "observability", "config"], { cwd: ROOT });
    expect([status, stderr.toString()]).toEqual([0, ""]);
  });
});

describe("the configuration of the observability stack", () => {
  const files = globSync("deploy/observability/{*.{yaml,yml},grafana/**/*.yaml}", { cwd: ROOT });

  it.each(files)("names hosts that are there, and their ports: %s", (file) => {
    const hosts = [...readFileSync(`${ROOT}${file}`, "utf8").matchAll(/http:\/\/([a-z]+):(\d+)/g)];
    const listening: Record<string, string[]> = { prometheus: ["9090"], tempo: ["3200", "4318"], loki: ["3100"] };
    for (const [address, host = "", port] of hosts)
      expect([address, listening[host]]).toEqual([address, expect.arrayContaining([port])]);
  });

  it("is YAML, each with something in it", () => {
    expect(files.length).toBeGreaterThanOrEqual(6);
    for (const file of files) expect([file, Object.keys(read(file) as object).length > 0]).toEqual([file, true]);
  });

  it("leads from the dashboards to data sources of the same names", () => {
    const { datasources } = read("deploy/observability/grafana/provisioning/datasources/gatehouse.yaml") as {
      datasources: readonly { readonly uid: string; readonly type: string }[];
    };
    const known = datasources.map(({ uid, type }) => ({ type, uid }));
    const dashboards = globSync("deploy/observability/grafana/dashboards/*.json", { cwd: ROOT });
    const used = dashboards.flatMap((file) => [
      ...readFileSync(`${ROOT}${file}`, "utf8").matchAll(/"datasource": (\{[^}]*\})/g),
    ]);
    expect(used.length).toBeGreaterThan(50);
    for (const [, reference = ""] of used) expect(known).toContainEqual(JSON.parse(reference));
  });
});
