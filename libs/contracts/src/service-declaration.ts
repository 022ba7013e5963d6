import type { StreamName } from "./events/streams.ts";

/**
 * Who may call a route at the gateway. `public` needs no token and ignores one that does not verify (refresh and logout included; auth
 * decides what they need). `bearer` needs a valid token, `admin` a valid token with that role.
 */
export type RouteAccess = "public" | "bearer" | "admin";

/** A rate limit in addition to RATE_LIMIT_DEFAULT. */
export type RouteLimit = "login" | "loginEmail" | "register" | "password";

/** A route that the gateway forwards. GET also serves HEAD. */
export interface PublicRoute {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With parameters as `:id`. */
  readonly path: string;
  readonly access: RouteAccess;
  readonly limits?: readonly RouteLimit[];
  /** Neither limited nor counted. */
  readonly unlimited?: true;
  /** Uses the refresh cookie: the gateway rejects a foreign `Origin`. */
  readonly cookie?: true;
}

/**
 * What a service is, for everything around it: `services/<name>/service.ts` exports one as `service`, as data only. The gateway's route
 * table, the stack of `pnpm start` and of the tests, migrations, bus permissions and the checks of compose.yml and k8s/ derive from it.
 */
export interface ServiceDeclaration {
  /** The folder's name; also the name of the process, the Kubernetes workload and the bus user. */
  readonly name: string;
  readonly port: { readonly variable: string; readonly number: number };
  /** The service's own schema and role, where it has a database. */
  readonly database?: {
    readonly schema: string;
    readonly role: string;
    /** The variable with the URL of the role. */
    readonly urlVariable: string;
    /** The interface in `src/db/database.ts` that lists the tables, for the drift check. */
    readonly tables: string;
    /** Created where the server has them. */
    readonly extensions?: readonly string[];
  };
  readonly routes?: readonly PublicRoute[];
  /** Routes for other services, with the variable of the token that they need. */
  readonly internalRoutes?: readonly {
    readonly method: string;
    readonly path: string;
    readonly tokenVariable: string;
  }[];
  /** The stream that receives the service's events. */
  readonly publishes?: StreamName;
  /** Streams that the service reads with a durable consumer named after the service. */
  readonly consumes?: readonly StreamName[];
  /** Verifies access tokens, and so follows revocations with ephemeral consumers. */
  readonly verifiesTokens?: true;
  /** Services that it reaches by `<NAME>_URL`. */
  readonly calls?: readonly string[];
  readonly usesRedis?: true;
  /** Receives the clients' requests and forwards the routes of all services. */
  readonly isEdge?: true;
  /** Secrets that it reads; `pnpm start` generates the ones that are not set. */
  readonly secrets: readonly string[];
  /** Variables that no other service may see and that an operator sets. */
  readonly privateVariables?: readonly string[];
  /** Has an image, a service in compose.yml and manifests in k8s/. Without it the service runs in `pnpm start` and tests only. */
  readonly isDeployed?: true;
}
