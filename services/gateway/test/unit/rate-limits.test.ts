import { describe, expect, it } from "vitest";
import { createRateCounter } from "../../src/services/limits/rate-counter.ts";
import { addressKey, emailKey, userKey } from "../../src/services/limits/rate-limits.ts";

describe("the key of a limit", () => {
  it.each([
    ["10.1.2.3", "ip:10.1.2.3"],
    ["2001:db8:1:2:3:4:5:6", "ip:2001:db8:1:2::/64"],
    ["2001:db8:1:2::1", "ip:2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::1", "ip:2001:db8:1:2::/64"],
    ["2001:db8::", "ip:2001:db8:0:0::/64"],
    ["::1", "ip:0:0:0:0::/64"],
    ["fe80::1%eth0", "ip:fe80:0:0:0::/64"],
    ["::ffff:10.1.2.3", "ip:10.1.2.3"],
  ])("of address %s is %s", (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  it("of a user differs from that of an address", () => {
    expect(userKey("10.1.2.3")).not.toBe(addressKey("10.1.2.3"));
  });

  it("of an email is equal for all spellings, and does not contain it", () => {
    expect(emailKey("  Ada@Example.com ")).toBe(emailKey("ada@example.com"));
    expect(emailKey("ada@example.com")).not.toBe(emailKey("bob@example.com"));
    expect(emailKey("ada@example.com")).not.toContain("ada");
  });
});

describe("a counter without Redis", () => {
  it("counts down, rejects requests over the limit, and separates keys", async () => {
    const count = createRateCounter({ name: "test", rate: { limit: 2, seconds: 60 }, redis: undefined });
    expect(await count("a")).toEqual({ name: "test", limit: 2, remaining: 1, resetSeconds: 60, exceeded: false });
    expect(await count("a")).toMatchObject({ remaining: 0, exceeded: false });
    expect(await count("a")).toMatchObject({ remaining: 0, exceeded: true });
    expect(await count("b")).toMatchObject({ remaining: 1, exceeded: false });
  });
});
