import { describe, expect, it } from "vitest";
import { createRotation } from "../../src/rotation.ts";

describe("rotation", () => {
  it("starts with the next replica each time and returns all of them", () => {
    const rotation = createRotation(3, () => 0);
    expect(rotation.order()).toEqual([0, 1, 2]);
    expect(rotation.order()).toEqual([1, 2, 0]);
    expect(rotation.order()).toEqual([2, 0, 1]);
    expect(rotation.order()).toEqual([0, 1, 2]);
  });

  it("puts a resting replica last until its rest ends", () => {
    let now = 0;
    const rotation = createRotation(2, () => now);
    rotation.rest(0, 1_000);
    expect(rotation.order()).toEqual([1, 0]);
    expect(rotation.order()).toEqual([1, 0]);
    now = 1_001;
    expect(rotation.order()).toEqual([0, 1]);
  });

  it("returns every replica when all rest", () => {
    const rotation = createRotation(2, () => 0);
    rotation.rest(0, 1_000);
    rotation.rest(1, 1_000);
    expect(rotation.order().toSorted()).toEqual([0, 1]);
    rotation.rest(1, 900);
    for (let round = 0; round < 3; round += 1) expect(rotation.order(), "longest rested first").toEqual([1, 0]);
  });

  it("returns a single replica even when it rests", () => {
    const rotation = createRotation(1, () => 0);
    rotation.rest(0, 1_000);
    expect(rotation.order()).toEqual([0]);
  });
});
