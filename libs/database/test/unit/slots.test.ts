import { describe, expect, test } from "vitest";
import { createSlots } from "../../src/pool/slots.ts";

const LONG = 60_000;

describe("createSlots", () => {
  test("gives free slots in the order of the requests", async () => {
    const slots = createSlots({ max: 1 });
    const order: string[] = [];
    await slots.take(LONG, {});
    const first = slots.take(LONG, {}).then(() => order.push("first"));
    const second = slots.take(LONG, {}).then(() => order.push("second"));
    expect(slots.waiting).toBe(2);
    slots.give();
    await first;
    expect(order).toEqual(["first"]);
    slots.give();
    await second;
    expect(order).toEqual(["first", "second"]);
    expect(slots.waiting).toBe(0);
  });

  test("rejects a request that waits too long, which takes no slot later", async () => {
    const slots = createSlots({ max: 1 });
    await slots.take(LONG, {});
    await expect(slots.take(1, {})).rejects.toMatchObject({ code: "ServiceUnavailable" });
    expect(slots.waiting).toBe(0);
    slots.give();
    await slots.take(1, {});
  });

  test("rejects a cancelled request", async () => {
    const slots = createSlots({ max: 1 });
    await slots.take(LONG, {});
    const attempt: { cancel?: (reason: Error) => void } = {};
    const waiting = slots.take(LONG, attempt);
    attempt.cancel?.(new Error("cancelled"));
    await expect(waiting).rejects.toThrow("cancelled");
    expect(slots.waiting).toBe(0);
    expect(attempt.cancel).toBeUndefined();
  });
});
