import {
  busVariables,
  type ConfigRule,
  databaseSettings,
  databaseUrl,
  metricsOfWorkers,
  flag,
  inProduction,
  integer,
  internalTokenVariable,
  introspectionTokenVariable,
  isExample,
  noDebugInProduction,
  poolVariables,
  port,
  processSettings,
  processVariables,
  readEnvironment,
  secrets,
  strongSecretsInProduction,
  telemetryVariables,
  tokenVariables,
  trustedProxiesVariable,
  workerVariables,
} from "@gatehouse/config";
import { adminPasswordInput, emailInput } from "@gatehouse/contracts";
import { z } from "zod";
import { coresPerWorker } from "./services/passwords/thread-pool.ts";
import type { SigningAlgorithm } from "./services/keys/key-material.ts";

const algorithm = () =>
  z
    .string()
    .default("EdDSA")
    .transform((raw, context): SigningAlgorithm => {
      if (raw === "EdDSA" || raw === "ES256" || raw === "RS256") return raw;
      const message = raw.startsWith("HS")
        ? "must be EdDSA, ES256 or RS256: with a symmetric algorithm every verifier could mint tokens; drop the variable to use EdDSA"
        : "must be EdDSA, ES256 or RS256";
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    });

const variables = {
  ...processVariables,
  ...telemetryVariables,
  ...workerVariables,
  AUTH_PORT: port(8001),
  AUTH_DATABASE_URL: databaseUrl(),
  ...poolVariables,
  ...busVariables,
  ...tokenVariables,
  ...internalTokenVariable,
  ...introspectionTokenVariable,
  ...trustedProxiesVariable,
  JWT_SECRET_KEY: secrets(),
  JWT_ALGORITHM: algorithm(),
  REFRESH_TOKEN_EXPIRE_DAYS: integer({ min: 1, max: 365, fallback: 7 }),
  SESSION_MAX_DAYS: integer({ min: 1, max: 3650, fallback: 90 }),
  SOFT_DELETE_RETENTION_DAYS: integer({ min: 0, max: 3650, fallback: 30 }),
  REFRESH_REUSE_GRACE_SECONDS: integer({ min: 0, max: 300, fallback: 0 }),
  SECURE_COOKIES: z.union([z.undefined(), flag(true)]),
  ARGON2_MEMORY_KIB: integer({ min: 8, max: 4_194_304, fallback: 19_456 }),
  ARGON2_TIME_COST: integer({ min: 1, max: 100, fallback: 2 }),
  ARGON2_PARALLELISM: integer({ min: 1, max: 64, fallback: 1 }),
  PASSWORD_HASH_CONCURRENCY: z.union([z.undefined(), integer({ min: 1, max: 1024 })]),
  PASSWORD_HASH_MAX_WAIT_MS: integer({ min: 0, max: 60_000, fallback: 2000 }),
  FIRST_ADMIN_EMAIL: emailInput().optional(),
  FIRST_ADMIN_PASSWORD: adminPasswordInput().optional(),
};

type Variables = z.output<z.ZodObject<typeof variables>>;

const secureCookiesInProduction: ConfigRule<Variables> = inProduction(function* (values) {
  if (values.SECURE_COOKIES === false) yield { name: "SECURE_COOKIES", message: "must not be false in production" };
});

const ownFirstAdminPassword: ConfigRule<Variables> = inProduction(function* ({ FIRST_ADMIN_PASSWORD: password }) {
  if (password !== undefined && isExample(password))
    yield { name: "FIRST_ADMIN_PASSWORD", message: "must not be the value of .env.example in production" };
});

const memoryForParallelism: ConfigRule<Variables> = function* (values) {
  const { ARGON2_MEMORY_KIB: memory, ARGON2_PARALLELISM: parallelism } = values;
  if (memory !== undefined && parallelism !== undefined && memory < 8 * parallelism)
    yield { name: "ARGON2_MEMORY_KIB", message: "must be at least 8 times ARGON2_PARALLELISM (RFC 9106, section 3.1)" };
};

const firstAdminPasswordIsSet: ConfigRule<Variables> = function* (values) {
  if (values.FIRST_ADMIN_EMAIL !== undefined && values.FIRST_ADMIN_PASSWORD === undefined)
    yield { name: "FIRST_ADMIN_PASSWORD", message: "is required when FIRST_ADMIN_EMAIL is set" };
};

export type AuthConfig = ReturnType<typeof readConfig>;

/**
 * Returns the auth service's configuration, validated and frozen.
 * @throws ConfigError with every invalid variable
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env) {
  const values = readEnvironment(variables, environment, [
    noDebugInProduction,
    metricsOfWorkers,
    strongSecretsInProduction<Variables>("JWT_SECRET_KEY", "INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN"),
    secureCookiesInProduction,
    memoryForParallelism,
    firstAdminPasswordIsSet,
    ownFirstAdminPassword,
  ]);
  const development = values.ENVIRONMENT === "development";
  return Object.freeze({
    ...processSettings(values),
    port: values.AUTH_PORT,
    // Only these proxies may set the client address. In development the gateway runs on loopback.
    trustedProxies:
      values.TRUSTED_PROXIES.length > 0 || !development ? values.TRUSTED_PROXIES : ["127.0.0.1/32", "::1/128"],
    database: databaseSettings(values, values.AUTH_DATABASE_URL),
    bus: { url: values.NATS_URL, replicas: values.NATS_STREAM_REPLICAS },
    tokens: {
      issuer: values.JWT_ISSUER,
      audience: values.JWT_AUDIENCE,
      algorithm: values.JWT_ALGORITHM,
      secrets: values.JWT_SECRET_KEY,
      accessTokenSeconds: values.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
      refreshTokenSeconds: values.REFRESH_TOKEN_EXPIRE_DAYS * 86_400,
      sessionSeconds: values.SESSION_MAX_DAYS * 86_400,
      reuseGraceSeconds: values.REFRESH_REUSE_GRACE_SECONDS,
    },
    secureCookies: values.SECURE_COOKIES ?? values.ENVIRONMENT === "production",
    hashing: {
      memoryKib: values.ARGON2_MEMORY_KIB,
      timeCost: values.ARGON2_TIME_COST,
      parallelism: values.ARGON2_PARALLELISM,
      concurrency: values.PASSWORD_HASH_CONCURRENCY ?? coresPerWorker(values.WEB_CONCURRENCY),
      maxWaitMs: values.PASSWORD_HASH_MAX_WAIT_MS,
    },
    internalTokens: values.INTERNAL_API_TOKEN,
    introspectionTokens: values.INTROSPECTION_TOKEN,
    softDeleteRetentionDays: values.SOFT_DELETE_RETENTION_DAYS,
    firstAdmin:
      values.FIRST_ADMIN_EMAIL !== undefined && values.FIRST_ADMIN_PASSWORD !== undefined
        ? { email: values.FIRST_ADMIN_EMAIL, password: values.FIRST_ADMIN_PASSWORD }
        : undefined,
  });
}
