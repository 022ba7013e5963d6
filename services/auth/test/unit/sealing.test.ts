import { describe, expect, it } from "vitest";
import {
  hashRefreshToken,
  newRefreshToken,
  sealSuccessor,
  unsealSuccessor,
} from "../../src/services/sessions/refresh-token.ts";
import { seal, unseal } from "../../src/services/keys/sealed-box.ts";

describe("seal and unseal", () => {
  it("open a box only with its secret and purpose", () => {
    const box = seal(Buffer.from("private"), "secret", "signing-key");
    expect(unseal(box, "secret", "signing-key")?.toString()).toBe("private");
    expect(unseal(box, "other", "signing-key")).toBeUndefined();
    expect(unseal(box, "secret", "something-else")).toBeUndefined();
  });

  it("reject a box with any single byte altered", () => {
    const box = seal(Buffer.from("private"), "secret", "signing-key");
    for (const index of box.keys()) {
      const altered = Buffer.from(box);
      altered[index] = (altered[index] ?? 0) ^ 1;
      expect(unseal(altered, "secret", "signing-key"), `byte ${index}`).toBeUndefined();
    }
    expect(unseal(box.subarray(0, 10), "secret", "signing-key")).toBeUndefined();
  });

  it("produce a different box each time", () => {
    expect(seal(Buffer.from("x"), "secret", "p").equals(seal(Buffer.from("x"), "secret", "p"))).toBe(false);
  });
});

describe("a refresh token", () => {
  it("has 256 random bits and is stored as 32 bytes", () => {
    const token = newRefreshToken();
    expect(Buffer.from(token, "base64url")).toHaveLength(32);
    expect(hashRefreshToken(token)).toHaveLength(32);
    expect(newRefreshToken()).not.toBe(token);
  });

  it("is unsealed as a successor only by its predecessor", () => {
    const [successor, predecessor] = [newRefreshToken(), newRefreshToken()];
    const box = sealSuccessor(successor, predecessor);
    expect(unsealSuccessor(box, predecessor)).toBe(successor);
    expect(unsealSuccessor(box, newRefreshToken())).toBeUndefined();
  });
});
