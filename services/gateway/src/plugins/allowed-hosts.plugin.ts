import { AppError } from "@gatehouse/errors";
import fp from "fastify-plugin";
import { createHostCheck } from "../services/origins/allowed-hosts.ts";
import { isHealthPath } from "./route-config.ts";

/** Rejects a Host header that is not allowed (docs/reference/limits.md), and a request target that is not a path. */
export const allowedHosts = fp<{ hosts: readonly string[] }>(
  async (app, { hosts }) => {
    const isAllowed = createHostCheck(hosts);
    app.addHook("onRequest", (request, _reply, done) => {
      // A full URL as the target can have another host than the header.
      if (request.raw.url?.charCodeAt(0) !== 47)
        return done(new AppError("BadRequest", { detail: "The request target must be a path." }));
      if (isAllowed(request.headers.host) || isHealthPath(request.routeOptions.url)) return done();
      done(new AppError("BadRequest", { detail: "The Host header is not an allowed host of this service." }));
    });
  },
  { name: "allowed-hosts" },
);
