import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readBy } from "../../check/read-by.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string): unknown =>
  parse(readFileSync(`${ROOT}${path}`, "utf8"), { merge: true, maxAliasCount: -1 });

const dockerfile = readFileSync(`${ROOT}deploy/Dockerfile`, "utf8");

const folder = mkdtempSync(join(tmpdir(), "gatehouse-compose-"));
afterAll(() => rmSync(folder, { recursive: true }));
const envFile = join(folder, "compose.env");
spawnSync(`${ROOT}deploy/new-env`, [envFile]);
const freshEnvironment = parseEnv(readFileSync(envFile, "utf8"));

interface Service {
  readonly image: string;
  readonly build?: { readonly target: string };
  readonly profiles?: readonly string[];
  readonly restart: string;
  readonly mem_limit: string;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly read_only?: boolean;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks?: readonly string[] | Readonly<Record<string, unknown>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
}

const compose = read("compose.yml") as Compose;
const services = Object.entries(compose.services);
const own = services.filter(([, { build }]) => build !== undefined);
const variables = { auth: await readBy("auth"), user: await readBy("user"), gateway: await readBy("gateway") };
const { version } = read("package.json") as { readonly version: string };

/** The keys of a Compose service in use; add a new one here. */
const KEYS = new Set([
  ...["build", "cap_drop", "command", "depends_on", "entrypoint", "environment", "healthcheck", "image", "logging"],
  ...["mem_limit", "networks", "ports", "profiles", "read_only", "restart", "security_opt", "shm_size"],
  ...["stop_grace_period", "tmpfs", "user", "volumes"],
]);

/** One-shot commands. */
const COMMANDS = new Set(["migrate", "ops"]);
/** Images from scratch, without a program for a health check. */
const WITHOUT_PROBE = new Set(["collector"]);

const networksOf = ({ networks = ["default"] }: Service) =>
  Array.isArray(networks) ? (networks as readonly string[]) : Object.keys(networks);

describe("compose.yml", () => {
  it.each(services)(
    "has %s with known words, a version, a limit, and no more rights than it needs",
    (name, service) => {
      expect(Object.keys(service).filter((key) => !KEYS.has(key))).toEqual([]);
      expect(service.image).toMatch(
        /^(?:[a-z-]+\/)?[a-z-]+:v?\d+\.\d+(?:\.\d+)?(?:-[a-z]+)?$|^\$\{GATEHOUSE_REGISTRY:-\}/,
      );
      expect(service.mem_limit).toMatch(/^\d+[mg]$/);
      expect(service.restart).toBe(COMMANDS.has(name) ? "no" : "unless-stopped");
      expect(service.cap_drop).toEqual(["ALL"]);
      expect(service.security_opt).toEqual(["no-new-privileges:true"]);
      if (!service.profiles?.includes("observability")) expect(service.read_only).toBe(true);
      if (!COMMANDS.has(name) && !WITHOUT_PROBE.has(name)) expect(service.healthcheck?.test[0]).toBe("CMD");
    },
  );

  it.each(own)("takes %s from its target of the Dockerfile, in the version of package.json", (_name, service) => {
    const target = service.build?.target ?? "";
    expect(service.image).toBe(`\${GATEHOUSE_REGISTRY:-}gatehouse-${target}:\${GATEHOUSE_VERSION:-${version}}`);
    expect(dockerfile).toContain(`\nFROM node AS ${target}\n`);
  });

  it.each(own.filter(([, { build }]) => build?.target !== "tools"))(
    "gives %s variables that it reads",
    (_name, { build, environment = {} }) => {
      const known = variables[build?.target as keyof typeof variables];
      expect(Object.keys(environment).filter((variable) => !known.includes(variable))).toEqual([]);
    },
  );

  it.each(services)("publishes ports of %s on loopback only", (_name, { ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:(?:(\d+):\1|\$\{[A-Z_]+:-\d+\}:\d+)$/);
  });

  it.each(services)("contains no secret of %s", (_name, { environment = {} }) => {
    for (const [variable, value] of Object.entries(environment)) {
      if (/(?:PASSWORD|SECRET_KEY|TOKEN)$/.test(variable))
        expect([variable, value]).toEqual([variable, expect.stringMatching(/^\$\{[A-Z_]+(?::\?|:-\})/)]);
      const password = /^[a-z]+:\/\/[^:/]*:([^/]*)@/.exec(value)?.[1];
      if (password !== undefined)
        expect([variable, password]).toEqual([variable, expect.stringMatching(/^\$\{[A-Z_]+:\?/)]);
    }
  });

  it("requires only variables of deploy/new-env, with a hint in each error", () => {
    const text = readFileSync(`${ROOT}compose.yml`, "utf8");
    const required = new Set(
      [...text.matchAll(/\$\{([A-Z_]+):\?([^}]*)\}/g)].map(([, name = "", hint = ""]) => {
        expect([name, hint]).toEqual([name, expect.stringMatching(/^is not set - .{10,}/)]);
        return name;
      }),
    );
    expect([...required].filter((name) => !(name in freshEnvironment))).toEqual([]);
    expect(Object.entries(freshEnvironment).filter(([name, value]) => required.has(name) && value === "")).toEqual([]);
  });

  it.each(services)("mounts only existing files into %s", (_name, { volumes = [] }) => {
    for (const [source = ""] of volumes.map((volume) => volume.split(":")))
      if (source.startsWith("./")) expect([source, existsSync(`${ROOT}${source}`)]).toEqual([source, true]);
      else expect(Object.keys(compose.volumes)).toContain(source);
  });

  it("waits only for services with a health check and for one-shot commands", () => {
    const awaited = services.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on));
    expect(awaited.length).toBeGreaterThan(0);
    for (const [name, { condition }] of awaited) {
      expect([name, condition]).toEqual([
        name,
        COMMANDS.has(name) ? "service_completed_successfully" : "service_healthy",
      ]);
      if (!COMMANDS.has(name)) expect([name, compose.services[name]?.healthcheck]).not.toEqual([name, undefined]);
    }
  });

  // The services share networks with these only.
  it.each([
    ["postgres", ["auth", "auth-2", "migrate", "ops", "user", "user-2"]],
    ["redis", ["gateway", "gateway-2", "gateway-3"]],
    ["nats", ["auth", "auth-2", "gateway", "gateway-2", "gateway-3", "ops", "user", "user-2"]],
    ["proxy", ["gateway", "gateway-2", "gateway-3"]],
  ])("the network of %s contains only %j", (name, expected) => {
    const reaching = new Set(networksOf(compose.services[name] as Service));
    const neighbours = services.filter(
      ([other, service]) => other !== name && networksOf(service).some((one) => reaching.has(one)),
    );
    expect(neighbours.map(([other]) => other).toSorted()).toEqual(expected);
  });

  // On the network `bus` auth trusts no address.
  it.each([
    ["AUTH_URL", "auth"],
    ["USER_URL", "user"],
  ])("sets %s to an alias of all replicas, on one network only", (variable, target) => {
    const urls = new Set(own.flatMap(([, { environment }]) => environment?.[variable] ?? []));
    expect([...urls]).toEqual([expect.stringMatching(new RegExp(`^http://${target}\\.internal:\\d+$`))]);
    for (const [, { build, networks }] of own)
      if (build?.target === target) expect(networks).toMatchObject({ services: { aliases: [`${target}.internal`] } });
  });

  it("isolates all services except published ones and those that send telemetry", () => {
    const outward = Object.entries(compose.networks).filter(([, network]) => network?.internal !== true);
    expect(outward.map(([name]) => name)).toEqual(["edge", "entry", "telemetry"]);
  });

  // Compose 1.29 is the oldest version with profiles.
  const tool = [["docker", "compose"] as const, ["docker-compose"] as const].find(
    ([command, ...rest]) => spawnSync(command, [...rest, "version"]).status === 0,
  );
  it.skipIf(tool === undefined)(
    "is taken by the Compose of this machine, and not without its secrets",
    { timeout: 60_000 },
    () => {
      const [command = "", ...rest] = tool ?? [];
      const profiles = ["observability", "scale", "ops"].flatMap((profile) => ["--profile", profile]);
      const config = (env: NodeJS.ProcessEnv) =>
        spawnSync(command, [...rest, ...profiles, "config"], { cwd: ROOT, env: { PATH: process.env["PATH"], ...env } });
      const { status, stderr } = config(freshEnvironment);
      expect([status, stderr.toString()]).toEqual([0, ""]);
      const { JWT_SECRET_KEY: _left, ...others } = freshEnvironment;
      const refused = config(others);
      expect([refused.status, refused.stderr.toString()]).toEqual([1, expect.stringContaining("deploy/new-env")]);
    },
  );
});

describe("deploy/new-env", () => {
  it("creates distinct secrets that production accepts, readable by the owner only", () => {
    const secrets = Object.entries(freshEnvironment).filter(([name]) => /PASSWORD|SECRET|TOKEN/.test(name));
    for (const [name, value] of secrets)
      expect([name, value]).toEqual([name, expect.stringMatching(/^[A-Za-z][A-Za-z0-9]{31,}$/)]);
    expect(new Set(secrets.map(([, value]) => value)).size).toBe(secrets.length);
    expect(statSync(envFile).mode & 0o777).toBe(0o600);
  });

  it("does not overwrite a file", () => {
    const { status, stderr } = spawnSync(`${ROOT}deploy/new-env`, [envFile]);
    expect([status, stderr.toString()]).toEqual([1, expect.stringContaining("exists")]);
  });
});

describe("the configuration of the observability stack", () => {
  const files = globSync("deploy/observability/{*.{yaml,yml},grafana/**/*.yaml}", { cwd: ROOT });

  it.each(files)("names existing hosts and ports: %s", (file) => {
    const hosts = [...readFileSync(`${ROOT}${file}`, "utf8").matchAll(/http:\/\/([a-z]+):(\d+)/g)];
    const listening: Record<string, string[]> = { prometheus: ["9090"], tempo: ["3200", "4318"], loki: ["3100"] };
    for (const [address, host = "", port] of hosts)
      expect([address, listening[host]]).toEqual([address, expect.arrayContaining([port])]);
  });

  it("is YAML and not empty", () => {
    expect(files.length).toBeGreaterThanOrEqual(6);
    for (const file of files) expect([file, Object.keys(read(file) as object).length > 0]).toEqual([file, true]);
  });

  it("defines the data sources of the dashboards", () => {
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
