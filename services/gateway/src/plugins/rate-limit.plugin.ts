import { AppError } from "@gatehouse/errors";
import { metrics } from "@opentelemetry/api";
import type { FastifyReply, FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { type Count, nearestItsEnd } from "../services/limits/rate.ts";
import { addressKey, emailKey, type LimitName, type RateLimits, userKey } from "../services/limits/rate-limits.ts";
import { isPreflight } from "./cross-origin.plugin.ts";
import { isHealthPath } from "./route-config.ts";

/**
 * Counts every request, 404s and refused ones too, and refuses those over a limit with 429 (contract, section 5).
 * What the address and the token decide is counted before the body is read; login by email after it.
 */
export const rateLimit = fp<{ limits: RateLimits }>(
  async (app, { limits }) => {
    app.decorateRequest("counts", null);
    const measureRejection = createRejectionMetric();

    /** @throws AppError RateLimitExceeded */
    function apply(request: FastifyRequest, reply: FastifyReply, counts: readonly Count[]): void {
      request.counts = [...(request.counts ?? []), ...counts];
      const nearest = nearestItsEnd(request.counts);
      if (!nearest) return;
      reply.header("x-ratelimit-limit", nearest.limit);
      reply.header("x-ratelimit-remaining", nearest.remaining);
      reply.header("x-ratelimit-reset", nearest.resetSeconds);
      if (!nearest.exceeded) return;
      measureRejection(nearest.name);
      throw new AppError("RateLimitExceeded", { retryAfter: nearest.resetSeconds });
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
      // Without a token that verifies the request is refused anyway.
      return request.user ? userKey(request.user.sub) : undefined;
    default:
      return undefined;
  }
}

/** The form's `username`, whatever content type the request claims: auth alone decides whether it is a form. */
function emailOf(body: unknown): string | undefined {
  if (!Buffer.isBuffer(body)) return undefined;
  const [email] = new URLSearchParams(body.toString()).getAll("username");
  return email === undefined || email === "" ? undefined : email;
}

function createRejectionMetric(): (limit: string) => void {
  const rejections = metrics.getMeter("gatehouse").createCounter("gatehouse.rate_limit.rejections", {
    unit: "{request}",
    description: "Requests answered 429, by the limit whose end they have to wait for.",
  });
  return (limit) => rejections.add(1, { limit });
}

declare module "fastify" {
  interface FastifyRequest {
    /** Where this request stands under each limit that it was counted for. */
    counts: readonly Count[] | null;
  }
}
