import { isIP } from "node:net";
import {
  busVariables,
  type ConfigProblem,
  type ConfigRule,
  metricsOfWorkers,
  flag,
  inProduction,
  introspectionTokenVariable,
  list,
  noDebugInProduction,
  port,
  processSettings,
  processVariables,
  readEnvironment,
  strongSecretsInProduction,
  telemetryVariables,
  tokenVariables,
  trustedProxiesVariable,
  url,
  urls,
  verifierSettings,
  workerVariables,
} from "@gatehouse/config";
import { z } from "zod";
import { UPSTREAM_SERVICES } from "./routes/route-table.generated.ts";
import type { Service } from "./routes/route-table.ts";
import { parseRate, type Rate } from "./services/limits/rate.ts";

const WILDCARD = "*";
const HOST_SHAPE = /^(?:(?:\*\.)?[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i;

const rate = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((raw, context): Rate => {
      const parsed = parseRate(raw);
      if (parsed) return parsed;
      context.addIssue({ code: "custom", message: "must be a rate such as 120/minute (second, minute, hour or day)" });
      return z.NEVER;
    });

/** The variable with the URLs of a service's replicas: `AUTH_URL`. */
const urlVariableOf = <S extends Service>(service: S) =>
  `${service.toUpperCase().replaceAll("-", "_")}_URL` as `${Uppercase<S>}_URL`;

const upstreamVariables = Object.fromEntries(
  UPSTREAM_SERVICES.map((service) => [urlVariableOf(service), urls("http:", "https:")]),
) as Record<`${Uppercase<Service>}_URL`, ReturnType<typeof urls>>;

const variables = {
  ...processVariables,
  ...telemetryVariables,
  ...workerVariables,
  NATS_URL: busVariables.NATS_URL,
  ...tokenVariables,
  ...introspectionTokenVariable,
  ...trustedProxiesVariable,
  GATEWAY_PORT: port(8000),
  ...upstreamVariables,
  CORS_ORIGINS: list(),
  ALLOWED_HOSTS: list(),
  REDIS_URL: url("redis:", "rediss:").optional(),
  REDIS_HOST: z.string().optional(),
  REDIS_PORT: port(6379),
  REDIS_PASSWORD: z.string().optional(),
  RATE_LIMIT_ENABLED: flag(true),
  RATE_LIMIT_DEFAULT: rate("120/minute"),
  RATE_LIMIT_LOGIN: rate("1/second"),
  RATE_LIMIT_REGISTER: rate("10/minute"),
};

type Variables = z.output<z.ZodObject<typeof variables>>;
type Rule = ConfigRule<Variables>;

const originsAreOrigins: Rule = function* ({ CORS_ORIGINS = [] }) {
  if (CORS_ORIGINS.some((item) => item !== WILDCARD && !isOrigin(item)))
    yield {
      name: "CORS_ORIGINS",
      message: "must be comma-separated origins such as https://app.example.com, without a path",
    };
};

const noWildcardInProduction: Rule = inProduction(function* ({ CORS_ORIGINS = [] }): Iterable<ConfigProblem> {
  if (CORS_ORIGINS.includes(WILDCARD))
    yield { name: "CORS_ORIGINS", message: "must list every origin in production; a wildcard is not allowed" };
});

const hostsAreHosts: Rule = function* ({ ALLOWED_HOSTS = [] }) {
  if (!ALLOWED_HOSTS.every((item) => item === WILDCARD || HOST_SHAPE.test(item)))
    yield {
      name: "ALLOWED_HOSTS",
      message: "must be comma-separated host names such as api.example.com or *.example.com, without a scheme",
    };
};

const allowedHostsInProduction: Rule = inProduction(function* ({ ALLOWED_HOSTS = [] }): Iterable<ConfigProblem> {
  if (ALLOWED_HOSTS.length === 0)
    yield { name: "ALLOWED_HOSTS", message: "is required in production: the host names that clients use" };
  else if (ALLOWED_HOSTS.includes(WILDCARD))
    yield { name: "ALLOWED_HOSTS", message: "must list the hosts in production; a wildcard for all is not allowed" };
});

function isOrigin(item: string): boolean {
  return URL.canParse(item) && new URL(item).origin === item && item !== "null";
}

function redisUrlOf({ REDIS_URL, REDIS_HOST, REDIS_PORT, REDIS_PASSWORD }: Variables): string | undefined {
  if (REDIS_URL !== undefined || REDIS_HOST === undefined) return REDIS_URL;
  const password = REDIS_PASSWORD === undefined ? "" : `:${encodeURIComponent(REDIS_PASSWORD)}@`;
  return `redis://${password}${isIP(REDIS_HOST) === 6 ? `[${REDIS_HOST}]` : REDIS_HOST}:${REDIS_PORT}`;
}

export type Config = ReturnType<typeof readConfig>;

/**
 * Returns the validated configuration from the environment.
 * @throws ConfigError with every invalid variable
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env) {
  const values = readEnvironment(variables, environment, [
    noDebugInProduction,
    metricsOfWorkers,
    strongSecretsInProduction("INTROSPECTION_TOKEN"),
    originsAreOrigins,
    noWildcardInProduction,
    hostsAreHosts,
    allowedHostsInProduction,
  ]);
  return Object.freeze({
    ...processSettings(values),
    port: values.GATEWAY_PORT,
    natsUrl: values.NATS_URL,
    upstreamUrls: Object.fromEntries(
      UPSTREAM_SERVICES.map((service) => [service, values[urlVariableOf(service)]]),
    ) as unknown as Record<Service, readonly string[]>,
    verifier: verifierSettings(values, values.INTROSPECTION_TOKEN, values.AUTH_URL),
    trustedProxies: values.TRUSTED_PROXIES,
    corsOrigins: values.CORS_ORIGINS,
    allowedHosts: values.ALLOWED_HOSTS.includes(WILDCARD) ? [] : values.ALLOWED_HOSTS,
    redisUrl: redisUrlOf(values),
    rates: values.RATE_LIMIT_ENABLED
      ? { default: values.RATE_LIMIT_DEFAULT, login: values.RATE_LIMIT_LOGIN, register: values.RATE_LIMIT_REGISTER }
      : null,
  });
}
