import type { Attributes } from "@opentelemetry/api";
import { isAppError } from "@gatehouse/errors";
import { errorType } from "@gatehouse/observability";
import pg from "pg";
import { codeOf } from "../database-error.ts";
import { partsOf } from "../schema/database-url.ts";

/** Of the conventions for `db.client.operation.duration`, in seconds. */
export const DURATION_BOUNDARIES = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** What spans and measurements say of the server that is asked, as it was configured. */
export interface ServerAttributes {
  /** For measurements: which database, and which schema in it. */
  readonly database: Attributes;
  /** For spans: where it is, too. */
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

/** How it failed, by what was the matter at first: the SQLSTATE where the server said one, else the code of the network's error. */
export function failureAttributes(error: unknown): Attributes {
  const original = isAppError(error) && codeOf(error.cause) !== undefined ? error.cause : error;
  const state = original instanceof pg.DatabaseError ? original.code : undefined;
  return { "error.type": errorType(original), ...(state !== undefined && { "db.response.status_code": state }) };
}
