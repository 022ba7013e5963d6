import { ROLES, type Role } from "@gatehouse/contracts";
import { type Expression, type ExpressionBuilder, sql } from "kysely";
import type { UserHandle, UserTables } from "../db/database.ts";
import { toUser, type User } from "./user.repository.ts";

export interface UserFilter {
  /** A substring of the email or the full name; any case, no wildcards. */
  readonly search?: string | undefined;
  readonly role?: Role | undefined;
  readonly isActive?: boolean | undefined;
  readonly isDeleted: boolean;
}

export interface UserSlice {
  /** The last id of the previous page; the slice has lower ids only. */
  readonly before?: string | undefined;
  readonly skip?: number | undefined;
  readonly limit: number;
}

/** Above this the total is the planner's estimate. Counting millions of rows takes seconds. */
const COUNT_EXACTLY_UP_TO = 10_000;

/** Lists users, newest first: an id begins with its creation time. */
export async function listUsers(db: UserHandle, filter: UserFilter, slice: UserSlice): Promise<User[]> {
  let query = db.selectFrom("users").selectAll().where(matches(filter)).orderBy("id", "desc").limit(slice.limit);
  if (slice.before !== undefined) query = query.where("id", "<", slice.before);
  if (slice.skip !== undefined) query = query.offset(slice.skip);
  return (await query.execute()).map(toUser);
}

export async function countUsers(db: UserHandle, filter: UserFilter): Promise<{ total: number; exact: boolean }> {
  const matching = db.selectFrom("users").where(matches(filter)).select("id");
  const { count } = await db
    .selectFrom(matching.limit(COUNT_EXACTLY_UP_TO + 1).as("matching"))
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  if (count <= COUNT_EXACTLY_UP_TO) return { total: count, exact: true };
  // The estimate may be lower than the rows already counted.
  return { total: Math.max(count, await estimateRows(db, matching)), exact: false };
}

interface Plan {
  readonly Plan: { readonly "Plan Rows": number };
}

async function estimateRows(db: UserHandle, query: Expression<unknown>): Promise<number> {
  const { rows } = await sql<{ "QUERY PLAN": readonly Plan[] }>`explain (format json) ${query}`.execute(db);
  return Math.round(rows[0]?.["QUERY PLAN"][0]?.Plan["Plan Rows"] ?? 0);
}

function matches({ search, role, isActive, isDeleted }: UserFilter) {
  return (eb: ExpressionBuilder<UserTables, "users">) => {
    const pattern = search ? `%${escapeLike(search)}%` : undefined;
    return eb.and([
      eb("is_deleted", "=", isDeleted),
      ...(isActive === undefined ? [] : [eb("is_active", "=", isActive)]),
      ...(role === undefined ? [] : [role === "unknown" ? eb("role", "not in", ROLES) : eb("role", "=", role)]),
      ...(pattern === undefined ? [] : [eb.or([eb("email", "ilike", pattern), eb("full_name", "ilike", pattern)])]),
    ]);
  };
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}
