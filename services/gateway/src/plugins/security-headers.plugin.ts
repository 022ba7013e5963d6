import helmet from "@fastify/helmet";
import fp from "fastify-plugin";

/**
 * Security headers for an API: nothing it answers is to be framed, sniffed, run as a page or kept in a cache.
 * The documentation pages loosen the content policy on their own routes; an upstream may set its own cache rule.
 */
export const securityHeaders = fp(
  async (app) => {
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"] },
      },
      referrerPolicy: { policy: "no-referrer" },
      frameguard: { action: "deny" },
    });
    app.addHook("onRequest", (_request, reply, done) => {
      reply.header("cache-control", "no-store");
      done();
    });
  },
  { name: "security-headers" },
);
