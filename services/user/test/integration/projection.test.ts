import { type GatehouseEvent, newId, timeOfId } from "@gatehouse/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { handleAccountCreated } from "../../src/events/account-created.handler.ts";
import { handleAccountDeleted } from "../../src/events/account-deleted.handler.ts";
import { handleAccountUpdated } from "../../src/events/account-updated.handler.ts";
import { accountEvent, startUser, type UserFixture } from "../fixtures.ts";
import { permutations } from "../permutations.ts";

let user: UserFixture;
beforeAll(async () => {
  user = await startUser();
});
afterAll(() => user.stop());

const types = async (id: string) => (await user.eventsOf(id)).map(({ type }) => type);

/** Returns the first `length` events of one account's history. */
function history(id: string, length: number): GatehouseEvent[] {
  const at = (minute: number) => new Date(timeOfId(id).getTime() + minute * 60_000);
  const email = `moved.${id}@example.com`;
  return [
    accountEvent("auth.account.created", id, 1, {}, at(1)),
    accountEvent("auth.account.updated", id, 2, { email, changed: ["email"] }, at(2)),
    accountEvent("auth.account.deleted", id, 3, {}, at(3)),
    accountEvent("auth.account.restored", id, 4, { email }, at(4)),
    accountEvent("auth.account.updated", id, 5, { email, role: "admin", changed: ["role"] }, at(5)),
    accountEvent("auth.account.deleted", id, 6, { soft: false }, at(6)),
  ].slice(0, length);
}

/** Handles an event as the consumer does, without the bus. */
async function handle(event: GatehouseEvent): Promise<void> {
  const { records } = user.dependencies;
  if (event.type === "auth.account.created")
    return handleAccountCreated(records)(event as GatehouseEvent<typeof event.type>);
  if (event.type === "auth.account.deleted")
    return handleAccountDeleted(records)(event as GatehouseEvent<typeof event.type>);
  return handleAccountUpdated(records)(event as GatehouseEvent<"auth.account.updated">);
}

async function stored(id: string) {
  const row = await user.db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
  const early = await user.db.selectFrom("early_deletions").selectAll().where("id", "=", id).execute();
  const tombstones = await user.db.selectFrom("tombstones").selectAll().where("id", "=", id).execute();
  return { user: row, early, tombstones };
}

describe("account events in any order", () => {
  it.each([2, 3, 4, 5])("end in the same row: the first %i of a history", async (length) => {
    for (const order of permutations([...Array(length).keys()])) {
      const id = newId();
      const events = history(id, length);
      for (const index of order) await handle(events[index] as GatehouseEvent);
      const last = events.at(-1) as GatehouseEvent;
      const { user: row, early, tombstones } = await stored(id);
      expect([early, tombstones]).toEqual([[], []]);
      expect(row, `order ${order.join(", ")}`).toMatchObject({
        email: `moved.${id}@example.com`,
        full_name: "Ann",
        role: length === 5 ? "admin" : "user",
        is_active: true,
        is_verified: false,
        is_deleted: length === 3,
        is_registered: true,
        account_version: length === 3 ? 2 : length,
        deletion_version: length,
        created_at: timeOfId(id),
        updated_at: new Date(last.time),
      });
      const published = await types(id);
      expect(published[0]).toBe("user.registered");
      expect(published).toHaveLength(row?.version ?? 0);
    }
  });

  it("end in the same row and one registration when all arrive twice at once", async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = newId();
      const events = history(id, 5);
      await Promise.all([...events, ...events.toReversed()].map(handle));
      const { user: row } = await stored(id);
      expect(row).toMatchObject({ full_name: "Ann", role: "admin", is_deleted: false, account_version: 5 });
      const published = await types(id);
      expect(published.filter((type) => type === "user.registered")).toHaveLength(1);
      expect(published).toHaveLength(row?.version ?? 0);
    }
  });

  it("leave a tombstone and one erasure event when one of them is an erasure", async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = newId();
      const events = history(id, 6);
      await Promise.all([...events, ...events.toReversed()].map(handle));
      expect(await stored(id)).toMatchObject({ user: undefined, early: [], tombstones: [{ id, version: 6 }] });
      const erasures = (await user.eventsOf(id)).filter(({ data }) => "soft" in data && data.soft === false);
      expect(erasures).toHaveLength(1);
    }
  });
});

describe("an erasure that races a late creation", () => {
  it("leaves only the tombstone in either order", async () => {
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const id = newId();
        const racers = [history(id, 6)[0], history(id, 6)[5]] as GatehouseEvent[];
        await Promise.all((index % 2 === 0 ? racers : racers.toReversed()).map(handle));
        expect(await stored(id)).toMatchObject({ user: undefined, tombstones: [{ id }] });
        expect((await types(id)).at(-1)).toBe("user.deleted");
      }),
    );
  });
});

describe("a request and two consumers that change one user at once", () => {
  it("apply each change once", async () => {
    const { id } = await user.register();
    const events = [
      accountEvent("auth.account.updated", id, 2, { is_verified: true, changed: ["is_verified"] }),
      accountEvent("auth.account.deleted", id, 3),
    ];
    await Promise.allSettled([
      ...[...events, ...events].map(handle),
      user.call("PATCH", "/v1/users/me", { as: { sub: id }, body: { full_name: "Raced" } }),
    ]);
    const { user: row } = await stored(id);
    expect(row).toMatchObject({ is_verified: true, is_deleted: true });
    const published = await types(id);
    expect(published.filter((type) => type === "user.deleted")).toHaveLength(1);
    expect(published).toHaveLength(row?.version ?? 0);
  });
});

describe("an open transaction of one user", () => {
  it("delays another change of that user and no change of another user", async () => {
    const { records } = user.dependencies;
    const [id, other] = [newId(), newId()];
    const finished: string[] = [];
    const released = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const holding = user.dependencies.transact(async (trx) => {
      const { lockUserRecord } = await import("../../src/repositories/user-record.repository.ts");
      await lockUserRecord(trx, id);
      entered.resolve();
      await released.promise;
      finished.push("holder");
    });
    await entered.promise;
    const waiting = handle(accountEvent("auth.account.created", id, 1)).then(() => finished.push("same user"));
    await handleAccountCreated(records)(accountEvent("auth.account.created", other, 1));
    finished.push("other user");
    released.resolve();
    await Promise.all([holding, waiting]);
    expect(finished).toEqual(["other user", "holder", "same user"]);
  });
});
