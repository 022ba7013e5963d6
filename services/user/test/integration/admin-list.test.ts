import { newId } from "@gatehouse/contracts";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startUser, type UserFixture } from "../fixtures.ts";

const as = { sub: newId(), role: "admin" };

let user: UserFixture;
beforeAll(async () => {
  user = await startUser();
});
afterAll(() => user.stop());

async function list(query: string) {
  return await user.call("GET", `/v1/admin/users?${query}`, { as });
}

/** Lists the ids of one test's users: `mark` is in their emails only. */
async function listed(mark: string, query = ""): Promise<string[]> {
  const response = await list(`q=${mark}&${query}`);
  expect(response.status).toBe(200);
  return response.body.items.map(({ id }: { id: string }) => id);
}

async function registerMany(count: number, fields: Record<string, unknown> = {}) {
  const mark = newId().slice(-12);
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1)
    ids.unshift((await user.register({ email: `${index}.${mark}@example.com`, ...fields })).id);
  return { mark, ids };
}

describe("GET /v1/admin/users", () => {
  it("returns the newest first, and cursors visit every user once", async () => {
    const { mark, ids } = await registerMany(5);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const response = await list(`q=${mark}&limit=2${cursor ? `&cursor=${cursor}` : ""}`);
      expect(response.body).toMatchObject({ total: 5, total_exact: true });
      seen.push(...response.body.items.map(({ id }: { id: string }) => id));
      cursor = response.body.next_cursor;
    } while (cursor !== null);
    expect(seen).toEqual(ids);
  });

  it("has no next cursor on a full last page", async () => {
    const { mark } = await registerMany(2);
    expect((await list(`q=${mark}&limit=2`)).body).toMatchObject({ next_cursor: null, total: 2 });
  });

  it("leaves out the newest users with skip", async () => {
    const { mark, ids } = await registerMany(3);
    expect(await listed(mark, "skip=1&limit=1")).toEqual([ids[1]]);
    expect(await listed(mark, "skip=3")).toEqual([]);
  });

  it.each([
    "skip=1&cursor=01890000-0000-7000-8000-000000000000",
    "limit=0",
    "limit=101",
    "skip=-1",
    "cursor=x",
    "x=1",
    "role=owner",
  ])("rejects %s with 422", async (query) => {
    expect(await list(query)).toMatchObject({ status: 422, body: { type: "ValidationError" } });
  });
});

describe("the filters of GET /v1/admin/users", () => {
  it("select by role, is_active and is_deleted, alone and combined", async () => {
    const { mark, ids } = await registerMany(4);
    const [plain, inactive, admin, deleted] = ids as [string, string, string, string];
    await user.call("PATCH", `/v1/admin/users/${inactive}`, { as, body: { is_active: false } });
    await user.call("PATCH", `/v1/admin/users/${admin}`, { as, body: { role: "admin" } });
    await user.call("DELETE", "/v1/users/me", { as: { sub: deleted }, body: { password: "Secret123" } });
    expect(await listed(mark)).toEqual([plain, inactive, admin]);
    expect(await listed(mark, "is_active=false")).toEqual([inactive]);
    expect(await listed(mark, "is_active=true")).toEqual([plain, admin]);
    expect(await listed(mark, "role=admin")).toEqual([admin]);
    expect(await listed(mark, "role=admin&is_active=false")).toEqual([]);
    expect(await listed(mark, "is_deleted=true")).toEqual([deleted]);
  });

  it("find a newer build's role as unknown, and a profile change keeps that role", async () => {
    const { mark, ids } = await registerMany(1);
    const id = ids[0] as string;
    await user.db.updateTable("users").set({ role: "auditor" }).where("id", "=", id).execute();
    expect((await list(`q=${mark}&role=unknown`)).body.items).toMatchObject([{ id, role: "unknown" }]);
    await user.call("PATCH", `/v1/admin/users/${id}`, { as, body: { full_name: "Renamed" } });
    const row = await user.db.selectFrom("users").select("role").where("id", "=", id).executeTakeFirst();
    expect(row).toEqual({ role: "auditor" });
  });

  it("take q as a literal substring of email or name, in any case", async () => {
    const mark = newId().slice(-12);
    const register = async (full_name: string) => (await user.register({ full_name })).id;
    const percent = await register(`100% ${mark}`);
    const underscore = await register(`A_B ${mark}`);
    const backslash = await register(`C\\D ${mark}`);
    const umlaut = await register(`ÄRGER ${mark}`);
    const find = (q: string) => listed(encodeURIComponent(q));
    expect(await find(`100% ${mark}`)).toEqual([percent]);
    expect(await find(`a_b ${mark}`)).toEqual([underscore]);
    expect(await find(`a%b ${mark}`)).toEqual([]);
    expect(await find(`_00% ${mark}`)).toEqual([]);
    expect(await find(`c\\d ${mark}`)).toEqual([backslash]);
    expect(await find(`ärger ${mark.toUpperCase()}`)).toEqual([umlaut]);
    expect((await find(mark)).toSorted()).toEqual([percent, underscore, backslash, umlaut].toSorted());
  });
});

describe("the total of GET /v1/admin/users", () => {
  it("is the planner's estimate above 10,000 users, marked as not exact", async () => {
    await sql`
      insert into users (id, email, role, is_active, is_verified, account_version, deletion_version, version, is_registered,
        created_at, updated_at)
      select gen_random_uuid(), 'many' || n || '@example.com', 'user', true, false, 1, 1, 1, true, now(), now()
      from generate_series(1, 12000) n`.execute(user.db);
    await sql`analyze users`.execute(user.db);
    const { body } = await list("limit=1");
    expect(body.total_exact).toBe(false);
    expect(body.total).toBeGreaterThan(11_000);
    expect(body.total).toBeLessThan(13_000);
    expect((await list("limit=1&q=many11999")).body).toMatchObject({ total: 1, total_exact: true });
  });
});
