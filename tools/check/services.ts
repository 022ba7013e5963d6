// `pnpm check services`: each service.ts against the routes that the service registers and the files that deploy it.
import { createLogger } from "@gatehouse/observability";
import { STREAMS } from "@gatehouse/contracts";
import { type DeclaredService, SERVICES } from "@gatehouse/declarations";
import { REPOSITORY_ROOT } from "@gatehouse/local-stack";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";

interface RegisteredApp {
  ready(): Promise<unknown>;
  close(): Promise<void>;
  hasRoute(route: { method: string; url: string }): boolean;
  swagger(): { paths: Record<string, Record<string, unknown>> };
}

const read = (path: string) => readFileSync(join(REPOSITORY_ROOT, path), "utf8");

/** Replaces every dependency of a service: each property and call returns it again. The check calls no handler. */
const anything: unknown = new Proxy(() => undefined, {
  get: (_target, name) => (name === Symbol.iterator ? [][Symbol.iterator] : name === "then" ? undefined : anything),
  apply: () => anything,
});

/** Returns the app with the service's routes, which serves no request. */
async function registeredApp({ folder }: DeclaredService): Promise<RegisteredApp> {
  const logger = createLogger({ service: "check", level: "silent" });
  const withKnown = (known: Record<string, unknown>) =>
    new Proxy(known, { get: (target, name) => target[name as string] ?? anything });
  const deps = withKnown({
    logger,
    secureCookies: true,
    config: withKnown({ trustedProxies: [], secureCookies: true }),
  });
  const { buildApp } = (await import(pathToFileURL(join(REPOSITORY_ROOT, folder, "src/app.ts")).href)) as {
    buildApp(deps: unknown): Promise<RegisteredApp>;
  };
  const app = await buildApp(deps);
  await app.ready();
  return app;
}

/** A public route without a row in service.ts, or a row without a route. */
async function* checkRoutes(service: DeclaredService): AsyncIterable<string> {
  const { folder, routes, internalRoutes = [] } = service;
  if (routes === undefined) return;
  const app = await registeredApp(service);
  const declared = new Set(routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`));
  const registered = Object.entries(app.swagger().paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  for (const route of registered)
    if (!declared.delete(route)) yield `${folder}/service.ts has no route ${route}: the gateway does not forward it`;
  for (const route of declared)
    yield `${folder}/service.ts has the route ${route}, which the service does not register`;
  for (const { method, path, tokenVariable } of internalRoutes) {
    if (!service.secrets.includes(tokenVariable))
      yield `${folder}/service.ts lacks the secret ${tokenVariable}, which ${method} ${path} needs`;
    if (!app.hasRoute({ method, url: path }))
      yield `${folder}/service.ts has the internal route ${method} ${path}, which the service does not register`;
  }
  await app.close();
}

/** What a deployed service needs beside its own folder. */
function* checkDeployment({ name, port, publishes, consumes = [], isDeployed }: DeclaredService): Iterable<string> {
  if (!isDeployed) return;
  const compose = parse(read("compose.yml")) as { services: Record<string, unknown> };
  if (!compose.services[name]) yield `compose.yml has no service ${name}`;
  const image = read("deploy/Dockerfile");
  for (const line of [`FROM node AS ${name}\n`, `ENV ${port.variable}=${port.number}\n`])
    if (!image.includes(line)) yield `deploy/Dockerfile lacks: ${line.trim()}`;
  if (!existsSync(join(REPOSITORY_ROOT, `k8s/base/${name}.yaml`))) yield `k8s/base/${name}.yaml is missing`;
  const users = read("deploy/nats/users.conf");
  const needed = [
    `user: "${name}"`,
    ...(publishes ? STREAMS[publishes].subjects.map((subject) => `"${subject}"`) : []),
    ...consumes.map((stream) => `"$JS.API.CONSUMER.INFO.${STREAMS[stream].name}.${name}"`),
  ];
  for (const text of needed) if (!users.includes(text)) yield `deploy/nats/users.conf lacks ${text} for ${name}`;
}

/** A service or library whose package depends on a service: services meet over HTTP and events. */
function* checkDependencies(): Iterable<string> {
  const names = new Set(SERVICES.map(({ name }) => `@gatehouse/${name}`));
  for (const file of globSync("{services,libs,examples}/*/package.json", { cwd: REPOSITORY_ROOT })) {
    const { dependencies = {} } = JSON.parse(read(file)) as { dependencies?: Record<string, string> };
    for (const name of Object.keys(dependencies)) if (names.has(name)) yield `${file} depends on the service ${name}`;
  }
}

const problems: string[] = [...checkDependencies()];
for (const service of SERVICES) {
  for await (const problem of checkRoutes(service)) problems.push(problem);
  problems.push(...checkDeployment(service));
}
console.log(problems.join("\n") || `${SERVICES.length} services match their declarations`);
process.exitCode = problems.length > 0 ? 1 : 0;
