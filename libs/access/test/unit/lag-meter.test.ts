import { expect, test } from "vitest";
import { createLagMeter } from "../../src/revocation/lag-meter.ts";

const MINUTE = 60_000;

test("the lag is the difference to the fastest message, whatever the clocks", () => {
  const lag = createLagMeter();
  const sender = 1_800_000_000_000;
  expect(lag.measure(sender, 10_040)).toBe(0);
  expect(lag.measure(sender + 1_000, 11_005)).toBe(0);
  expect(lag.measure(sender + 2_000, 12_008)).toBe(3);
  expect(lag.measure(sender + 3_000, 20_005)).toBe(7_000);
});

test("messages that queued while the receiver was stopped are late", () => {
  const lag = createLagMeter();
  lag.measure(1_000, 0);
  const ages = [2_000, 3_000, 4_000].map((sentAt) => lag.measure(sentAt, 60_000));
  expect(ages).toEqual([59_000, 58_000, 57_000]);
});

test("clock drift is forgotten after a while", () => {
  const lag = createLagMeter();
  // The sender's clock loses 10 ms a minute.
  let measured = 0;
  for (let minute = 0; minute < 10_000; minute += 1) measured = lag.measure(minute * (MINUTE - 10), minute * MINUTE);
  expect(measured).toBeLessThanOrEqual(210);
});

test("messages seem late for 30 seconds after the sender's clock was set back", () => {
  const lag = createLagMeter();
  lag.measure(0, 0);
  const measured = (second: number) => lag.measure(second * 1_000 - 20_000 + (second % 3) * 300, second * 1_000);
  for (let second = 1; second <= 30; second += 1) expect(measured(second)).toBeGreaterThan(19_000);
  for (let second = 31; second < 60; second += 1) expect(measured(second)).toBeLessThan(1_000);
});

test("messages seem late for at most 20 minutes after a small step back", () => {
  const lag = createLagMeter();
  lag.measure(0, 0);
  const measured = (minute: number) => lag.measure(minute * MINUTE - 5_000, minute * MINUTE);
  for (let minute = 1; minute < 10; minute += 1) expect(measured(minute)).toBe(5_000);
  for (let minute = 10; minute < 22; minute += 1) measured(minute);
  expect(measured(22)).toBe(0);
});

test("growing or alternating lags stay lags", () => {
  const lag = createLagMeter();
  for (let second = 0; second < 300; second += 1)
    expect(lag.measure(second * 1_000, second * 1_300)).toBeCloseTo(second * 300);
  for (let second = 400; second < 500; second += 1)
    expect(lag.measure(second * 1_000, second * 1_000 + (second % 2) * 20_000)).toBe((second % 2) * 20_000);
});

test("a clock set forward has no effect", () => {
  const lag = createLagMeter();
  lag.measure(0, 0);
  expect(lag.measure(40_000, 1_000)).toBe(0);
  expect(lag.measure(41_000, 2_000)).toBe(0);
});

test("reset forgets the previous sender", () => {
  const lag = createLagMeter();
  lag.measure(50_000, 0);
  lag.reset();
  expect(lag.measure(2_000, 1_000)).toBe(0);
});
