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

const types = async (id: string) => (await user.announced(id)).map(({ type }) => type);

/** One account's life, the first `length` events of it. */
function life(id: string, length: number): GatehouseEvent[] {
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

/** What the consumer does with an event, without the bus between. */
async function take(event: GatehouseEvent): Promise<void> {
  const { ledger } = user.dependencies;
  if (event.type === "auth.account.created")
    return handleAccountCreated(ledger)(event as GatehouseEvent<typeof event.type>);
  if (event.type === "auth.account.deleted")
    return handleAccountDeleted(ledger)(event as GatehouseEvent<typeof event.type>);
  return handleAccountUpdated(ledger)(event as GatehouseEvent<"auth.account.updated">);
}

async function stored(id: string) {
  const row = await user.db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
  const early = await user.db.selectFrom("early_deletions").selectAll().where("id", "=", id).execute();
  const tombstones = await user.db.selectFrom("tombstones").selectAll().where("id", "=", id).execute();
  return { user: row, early, tombstones };
}

describe("what happens when events of an account come in any order", () => {
  it.each([2, 3, 4, 5])("the first %i of a life end as the same row", async (length) => {
    for (const order of permutations([...Array(length).keys()])) {
      const id = newId();
      const events = life(id, length);
      for (const index of order) await take(events[index] as GatehouseEvent);
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
      const announced = await types(id);
      expect(announced[0]).toBe("user.registered");
      expect(announced).toHaveLength(row?.version ?? 0);
    }
  });

  it("all at once, twice each, they end as the same row and are announced coherently", async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = newId();
      const events = life(id, 5);
      await Promise.all([...events, ...events.toReversed()].map(take));
      const { user: row } = await stored(id);
      expect(row).toMatchObject({ full_name: "Ann", role: "admin", is_deleted: false, account_version: 5 });
      const announced = await types(id);
      expect(announced.filter((type) => type === "user.registered")).toHaveLength(1);
      expect(announced).toHaveLength(row?.version ?? 0);
    }
  });

  it("an erasure among them leaves a tombstone and is announced once", async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = newId();
      const events = life(id, 6);
      await Promise.all([...events, ...events.toReversed()].map(take));
      expect(await stored(id)).toMatchObject({ user: undefined, early: [], tombstones: [{ id, version: 6 }] });
      const erasures = (await user.announced(id)).filter(({ data }) => "soft" in data && data.soft === false);
      expect(erasures).toHaveLength(1);
    }
  });
});

describe("what happens when an erasure races a late creation", () => {
  it("nobody is resurrected, whoever comes first", async () => {
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const id = newId();
        const racers = [life(id, 6)[0], life(id, 6)[5]] as GatehouseEvent[];
        await Promise.all((index % 2 === 0 ? racers : racers.toReversed()).map(take));
        expect(await stored(id)).toMatchObject({ user: undefined, tombstones: [{ id }] });
        expect((await types(id)).at(-1)).toBe("user.deleted");
      }),
    );
  });
});

describe("what happens when a request and two consumers change one user at once", () => {
  it("each change counts once", async () => {
    const { id } = await user.register();
    const events = [
      accountEvent("auth.account.updated", id, 2, { is_verified: true, changed: ["is_verified"] }),
      accountEvent("auth.account.deleted", id, 3),
    ];
    await Promise.allSettled([
      ...[...events, ...events].map(take),
      user.call("PATCH", "/v1/users/me", { as: { sub: id }, body: { full_name: "Raced" } }),
    ]);
    const { user: row } = await stored(id);
    expect(row).toMatchObject({ is_verified: true, is_deleted: true });
    const announced = await types(id);
    expect(announced.filter((type) => type === "user.deleted")).toHaveLength(1);
    expect(announced).toHaveLength(row?.version ?? 0);
  });
});

describe("what happens when a transaction of one user is held open", () => {
  it("another change of that user waits for it, one of another user does not", async () => {
    const { ledger } = user.dependencies;
    const [id, other] = [newId(), newId()];
    const finished: string[] = [];
    const released = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const holding = user.dependencies.transact(async (trx) => {
      const { lockKnown } = await import("../../src/repositories/user-record.repository.ts");
      await lockKnown(trx, id);
      entered.resolve();
      await released.promise;
      finished.push("holder");
    });
    await entered.promise;
    const waiting = take(accountEvent("auth.account.created", id, 1)).then(() => finished.push("same user"));
    await handleAccountCreated(ledger)(accountEvent("auth.account.created", other, 1));
    finished.push("other user");
    released.resolve();
    await Promise.all([holding, waiting]);
    expect(finished).toEqual(["other user", "holder", "same user"]);
  });
});
