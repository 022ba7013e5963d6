import { Jwks } from "@gatehouse/contracts";
import type { App } from "@gatehouse/http";
import type { KeyService } from "../../services/keys/key.service.ts";

interface JwksRoutesDeps {
  readonly keys: KeyService;
}

/** Serves the public keys (RFC 7517) from memory, also while the database is unavailable. */
export function jwksRoutes({ keys }: JwksRoutesDeps) {
  return async (app: App): Promise<void> => {
    app.get(
      "/.well-known/jwks.json",
      { schema: { summary: "The keys that access tokens verify with", tags: ["auth"], response: { 200: Jwks } } },
      async (_request, reply) => {
        reply.header("cache-control", "public, max-age=60");
        return keys.jwks();
      },
    );
  };
}
