import { type Cluster, runKubectl } from "@gatehouse/test-kit/kubectl";
import { Agent, setGlobalDispatcher } from "undici";
import { beforeAll, describe, expect, it } from "vitest";
import { variableOf } from "../e2e/support/run-elsewhere.ts";
import { underLoad } from "../e2e/support/under-load.ts";

const cluster = JSON.parse(variableOf("test:cluster", "CLUSTER")) as Cluster;
const overlay = variableOf("test:cluster", "CLUSTER_OVERLAY");
const url = variableOf("test:cluster", "E2E_URL");
const kubectl = (...args: string[]) => runKubectl(cluster, ...args);

const SERVICES = ["gateway", "auth", "user"] as const;

// Like the gateway and the edge: the sender closes an idle connection before a stopping process does, 3 s after its SIGTERM.
const IDLE_CONNECTION_MS = 1000;
setGlobalDispatcher(new Agent({ keepAliveTimeout: IDLE_CONNECTION_MS, keepAliveMaxTimeout: IDLE_CONNECTION_MS }));

/** Evaluates a JavaScript expression in a pod's container; awaits promises. */
async function evaluate<T>(where: string, expression: string): Promise<T> {
  const code = `Promise.resolve(${expression}).then((value) => console.log(JSON.stringify(value)))`;
  return JSON.parse(await kubectl("exec", where, "--", "node", "--eval", code)) as T;
}

describe("the applied manifests", () => {
  it("have no pod that the cluster rejected", async () => {
    expect(await kubectl("get", "events", "--field-selector=reason=FailedCreate", "--output=name")).toBe("");
  });

  it.each(SERVICES)(
    "run %s as an unprivileged user that can write nowhere and has no API server token",
    async (service) => {
      const write = `(() => { try { fs.writeFileSync("/app/x", ""); } catch (error) { return error.code; } return "written"; })()`;
      const token = `fs.existsSync("/var/run/secrets/kubernetes.io")`;
      expect(
        await evaluate(`deployment/${service}`, `[process.getuid(), process.getgid(), ${write}, ${token}]`),
      ).toEqual([1000, 1000, "EROFS", false]);
    },
  );

  it("let auth hash on as many cores as its limit has", async () => {
    expect(await evaluate("deployment/auth", "process.env.PASSWORD_HASH_CONCURRENCY")).toBe("2");
  });
});

describe("network policies", () => {
  const TARGETS = { gateway: 8000, auth: 8001, user: 8002, postgres: 5432, nats: 4222, redis: 6379 };
  const ARROWS: Readonly<Record<string, readonly (keyof typeof TARGETS)[]>> = {
    "pod/door": ["gateway"],
    "deployment/gateway": ["auth", "user", "nats", "redis"],
    "deployment/auth": ["postgres", "nats"],
    "deployment/user": ["auth", "postgres", "nats"],
  };

  /** The targets that a connection reaches. */
  async function reachableFrom(where: string): Promise<string[]> {
    const reach = `Object.entries(${JSON.stringify(TARGETS)}).map(([host, port]) => new Promise((resolve) => {
      const socket = require("node:net").connect({ host, port, timeout: 3000 });
      const end = (reached) => { socket.destroy(); resolve(reached ? host : ""); };
      socket.once("connect", () => end(true)).once("error", () => end(false)).once("timeout", () => end(false));
    }))`;
    return (await evaluate<string[]>(where, `Promise.all(${reach})`)).filter(Boolean);
  }

  it("allow exactly the documented connections, where the cluster enforces policies", async ({ skip }) => {
    const reached: Record<string, string[]> = {};
    for (const where of Object.keys(ARROWS)) reached[where] = await reachableFrom(where);
    const everything = Object.values(reached).every((targets) => targets.length === Object.keys(TARGETS).length);
    skip(everything, "this cluster enforces no NetworkPolicy");
    expect(reached).toEqual(ARROWS);
  });
});

const rolledOut = (service: string) => kubectl("rollout", "status", `deployment/${service}`, "--timeout=5m");

describe("two of each", () => {
  const scale = async (service: string, replicas: number) => {
    await kubectl("scale", `deployment/${service}`, `--replicas=${replicas}`);
    await rolledOut(service);
  };
  beforeAll(async () => {
    await Promise.all(SERVICES.map((service) => scale(service, 2)));
  });

  it.each(SERVICES)("lose no request when %s is rolled out again", async (service) => {
    const roll = async () => {
      await kubectl("rollout", "restart", `deployment/${service}`);
      await rolledOut(service);
    };
    expect(await underLoad(`roll-out of ${service}`, url, roll)).toEqual([]);
  });

  it.each(SERVICES)("lose no request when a pod of %s is deleted", async (service) => {
    const remove = async () => {
      const [pod = ""] = (await podsOf(service)).split("\n");
      await kubectl("delete", pod);
      await rolledOut(service);
    };
    expect(await underLoad(`a pod of ${service} is deleted`, url, remove)).toEqual([]);
  });

  it.each(SERVICES)("lose no request when %s is scaled up and down", async (service) => {
    const upAndDown = async () => {
      await scale(service, 3);
      await scale(service, 2);
      await expect.poll(async () => (await podsOf(service)).split("\n")).toHaveLength(2);
    };
    expect(await underLoad(`${service} is scaled up and down`, url, upAndDown)).toEqual([]);
  });

  const podsOf = (service: string) =>
    kubectl("get", "pods", "--selector", `app.kubernetes.io/component=${service}`, "--output=name");
});

describe("an operator", () => {
  it("runs commands in a pod", async () => {
    await kubectl("create", "job", "ops", "--from=cronjob/ops");
    await kubectl("wait", "--for=condition=Ready", "--timeout=2m", "pod", "--selector=job-name=ops");
    expect(await kubectl("exec", "job/ops", "--", "node", "tools/ops/main.ts", "keys", "list", "--json")).toContain(
      "signing",
    );
    expect(
      await kubectl("exec", "job/ops", "--", "node", "tools/ops/main.ts", "events", "dead", "--json"),
    ).not.toContain("error");
    await kubectl("delete", "job", "ops");
  });

  it("upgrades by deleting the migration job and applying again, with the same number of replicas", async () => {
    await kubectl("wait", "--for=condition=Complete", "--timeout=2m", "job/migrate");
    await kubectl("delete", "job", "migrate");
    await kubectl("apply", "--kustomize", overlay);
    await kubectl("wait", "--for=condition=Complete", "--timeout=2m", "job/migrate");
    await kubectl("wait", "--for=condition=Available", "--timeout=2m", "deployment", "--all");
    expect(await kubectl("get", "deployment/auth", "--output=jsonpath={.spec.replicas}")).toBe("2");
  });
});
