import type { Attributes } from "@opentelemetry/api";
import { isAppError } from "@gatehouse/errors";
import { errorType } from "@gatehouse/observability";
import pg from "pg";
import { codeOf } from "../database-error.ts";
import { partsOf } from "../schema/database-url.ts";

/** Boundaries by the conventions for `db.client.operation.duration`, in seconds. */
export const DURATION_BOUNDARIES = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** The configured server as attributes of spans and metrics. */
export interface ServerAttributes {
  /** For metrics: database and schema. */
  readonly database: Attributes;
  /** For spans: also address and port. */
  readonly server: Attributes;
}

export function serverAttributes(url: string, schema: string | undefined): ServerAttributes {
  const { host, port, database: name } = partsOf(url);
  const address = host === "" ? {} : { "server.address": host, "server.port": port };
  const database = {
    "db.system.name": "postgresql",
    "db.namespace": schema === undefined ? name : `${name}|${schema}`,
  };
  return { database, server: { ...database, ...address } };
}

/** Returns the attributes of the original error: the SQLSTATE of the server, else the code of the network error. */
export function failureAttributes(error: unknown): Attributes {
  const original = isAppError(error) && codeOf(error.cause) !== undefined ? error.cause : error;
  const state = original instanceof pg.DatabaseError ? original.code : undefined;
  return { "error.type": errorType(original), ...(state !== undefined && { "db.response.status_code": state }) };
}
