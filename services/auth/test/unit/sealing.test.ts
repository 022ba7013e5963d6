import { describe, expect, it } from "vitest";
import {
  hashRefreshToken,
  newRefreshToken,
  sealSuccessor,
  unsealSuccessor,
} from "../../src/services/sessions/refresh-token.ts";
import { seal, unseal } from "../../src/services/keys/sealed-box.ts";

describe("a sealed secret", () => {
  it("opens with its secret and its purpose only", () => {
    const box = seal(Buffer.from("private"), "secret", "signing-key");
    expect(unseal(box, "secret", "signing-key")?.toString()).toBe("private");
    expect(unseal(box, "other", "signing-key")).toBeUndefined();
    expect(unseal(box, "secret", "something-else")).toBeUndefined();
  });

  it("does not open when a single byte of it was altered, wherever that is", () => {
    const box = seal(Buffer.from("private"), "secret", "signing-key");
    for (const index of box.keys()) {
      const altered = Buffer.from(box);
      altered[index] = (altered[index] ?? 0) ^ 1;
      expect(unseal(altered, "secret", "signing-key"), `byte ${index}`).toBeUndefined();
    }
    expect(unseal(box.subarray(0, 10), "secret", "signing-key")).toBeUndefined();
  });

  it("never looks the same twice", () => {
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

  it("is opened as a successor by its predecessor only", () => {
    const [successor, predecessor] = [newRefreshToken(), newRefreshToken()];
    const box = sealSuccessor(successor, predecessor);
    expect(unsealSuccessor(box, predecessor)).toBe(successor);
    expect(unsealSuccessor(box, newRefreshToken())).toBeUndefined();
  });
});
