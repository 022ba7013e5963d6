import { AppError } from "@gatehouse/errors";
import { metrics } from "@opentelemetry/api";
import type { FastifyReply, FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { type Count, strictestCount } from "../services/limits/rate.ts";
import { addressKey, emailKey, type LimitName, type RateLimits, userKey } from "../services/limits/rate-limits.ts";
import { isPreflight } from "./cross-origin.plugin.ts";
import { isHealthPath } from "./route-config.ts";

/**
 * Counts every request, 404s and rejected ones too, and rejects those over a limit with 429 (docs/reference/limits.md).
 * Limits by address and user are counted before the body is read; login by email after it.
 */
export const rateLimit = fp<{ limits: RateLimits }>(
  async (app, { limits }) => {
    app.decorateRequest("counts", null);
    const measureRejection = createRejectionMetric();

    /** @throws AppError RateLimitExceeded */
    function apply(request: FastifyRequest, reply: FastifyReply, counts: readonly Count[]): void {
      request.counts = [...(request.counts ?? []), ...counts];
      const strictest = strictestCount(request.counts);
      if (!strictest) return;
      reply.header("x-ratelimit-limit", strictest.limit);
      reply.header("x-ratelimit-remaining", strictest.remaining);
      reply.header("x-ratelimit-reset", strictest.resetSeconds);
      if (!strictest.exceeded) return;
      measureRejection(strictest.name);
      throw new AppError("RateLimitExceeded", { retryAfter: strictest.resetSeconds });
    }

    app.addHook("onRequest", async (request, reply) => {
      const { entry } = request.routeOptions.config;
      if (entry?.unlimited || isHealthPath(request.routeOptions.url) || isPreflight(request)) return;
      const pending = [limits.default(callerKey(request))];
      for (const name of entry?.limits ?? []) {
        const key = keyBeforeBody(name, request);
        if (key !== undefined) pending.push(limits[name](key));
      }
      apply(request, reply, await Promise.all(pending));
    });

    app.addHook("preHandler", (request, reply, done) => {
      const { entry } = request.routeOptions.config;
      const email = entry?.limits?.includes("loginEmail") ? emailOf(request.body) : undefined;
      if (email === undefined) return done();
      limits
        .loginEmail(emailKey(email))
        .then((count) => apply(request, reply, [count]))
        .then(() => done(), done);
    });
  },
  { name: "rate-limit", dependencies: ["identity", "cross-origin"] },
);

function callerKey(request: FastifyRequest): string {
  return request.user ? userKey(request.user.sub) : addressKey(request.callerAddress);
}

function keyBeforeBody(name: LimitName, request: FastifyRequest): string | undefined {
  switch (name) {
    case "login":
    case "register":
      return addressKey(request.callerAddress);
    case "password":
      // Without a valid token the request is rejected anyway.
      return request.user ? userKey(request.user.sub) : undefined;
    default:
      return undefined;
  }
}

/** Returns the form's `username` for any content type: only auth decides whether the body is a form. */
function emailOf(body: unknown): string | undefined {
  if (!Buffer.isBuffer(body)) return undefined;
  const [email] = new URLSearchParams(body.toString()).getAll("username");
  return email === undefined || email === "" ? undefined : email;
}

function createRejectionMetric(): (limit: string) => void {
  const rejections = metrics.getMeter("gatehouse").createCounter("gatehouse.rate_limit.rejections", {
    unit: "{request}",
    description: "Requests rejected with 429, by the limit that they exceeded.",
  });
  return (limit) => rejections.add(1, { limit });
}

declare module "fastify" {
  interface FastifyRequest {
    /** The count of each limit that applies to this request. */
    counts: readonly Count[] | null;
  }
}
