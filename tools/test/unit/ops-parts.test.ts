import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createTimeMerge } from "../../ops/events/merge-by-time.ts";
import { parseSince, parseType } from "../../ops/events/options.ts";
import { eventLine } from "../../ops/events/show.ts";
import { briefAge, confirm, createProgressBar } from "../../ops/terminal.ts";

const NOW = new Date("2026-06-15T12:00:00.000Z");

describe("parseSince", () => {
  it.each([
    ["30s", "2026-06-15T11:59:30.000Z"],
    ["10m", "2026-06-15T11:50:00.000Z"],
    ["2h", "2026-06-15T10:00:00.000Z"],
    ["7d", "2026-06-08T12:00:00.000Z"],
    ["2026-06-01", "2026-06-01T00:00:00.000Z"],
    ["2026-06-01T10:00:00+02:00", "2026-06-01T08:00:00.000Z"],
  ])("parses %s as %s", (text, time) => {
    expect(parseSince(text, NOW).toISOString()).toBe(time);
  });

  it.each(["", "10", "10 m", "-1m", "1w", "yesterday", "2026-13-01", "2026-06-15T12:00:01Z"])("rejects %j", (text) => {
    expect(() => parseSince(text, NOW)).toThrow("Use an age");
  });
});

describe("parseType", () => {
  it.each(["auth.account.created", "auth.*", "*.registered", "auth.>", ">", "*"])("accepts %s", (text) => {
    expect(parseType(text)).toBe(text);
  });

  it.each(["", ".", "auth.", "auth..x", "auth.>.x", "au*", "a b"])("rejects %j", (text) => {
    expect(() => parseType(text)).toThrow("Use a type");
  });
});

describe("createTimeMerge", () => {
  const collect = (limit?: number) => {
    const seen: number[] = [];
    return { seen, merge: createTimeMerge<number>(["a", "b"], (item) => seen.push(item), limit) };
  };
  const push = ({ merge }: ReturnType<typeof collect>, stream: string, time: number) =>
    merge.push(stream, new Date(time), time);

  it("holds an item until no stream can deliver an earlier one", () => {
    const all = collect();
    for (const time of [1, 4, 6]) push(all, "a", time);
    expect(all.seen).toEqual([]);
    for (const time of [2, 5]) push(all, "b", time);
    expect(all.seen).toEqual([1, 2, 4, 5]);
    all.merge.caughtUp("b");
    expect(all.seen).toEqual([1, 2, 4, 5, 6]);
  });

  it("does not wait for a stream that has caught up", () => {
    const all = collect();
    all.merge.caughtUp("b");
    push(all, "a", 1);
    all.merge.caughtUp("a");
    push(all, "b", 9);
    push(all, "a", 8);
    expect(all.seen).toEqual([1, 9, 8]);
  });

  it("emits the earliest item beyond its limit", () => {
    const all = collect(2);
    for (const time of [1, 2, 3, 4]) push(all, "a", time);
    expect(all.seen).toEqual([1, 2]);
  });
});

describe("confirm", () => {
  it.each([
    ["y\n", true],
    [" YES \n", true],
    ["n\n", false],
    ["yesterday\n", false],
    ["\n", false],
    ["", false],
  ])("returns for %j: %s", async (answer, expected) => {
    const input = new PassThrough();
    input.end(answer);
    const output = new PassThrough();
    expect(await confirm("Replay?", { input, errors: output })).toBe(expected);
    expect(String(output.read())).toContain("Replay? [y/N]");
  });
});

describe("a progress bar", () => {
  const shown = (isTTY: boolean) => {
    const output = Object.assign(new PassThrough(), { isTTY });
    const bar = createProgressBar("replaying", 4, output);
    bar.show(2);
    bar.clear();
    return String(output.read() ?? "");
  };

  it("shows the progress on a terminal and is cleared", () => {
    expect(shown(true)).toBe(`\r\u001B[Kreplaying [${"#".repeat(15)}${"-".repeat(15)}] 2/4\r\u001B[K`);
  });

  it("shows nothing elsewhere", () => {
    expect(shown(false)).toBe("");
  });
});

describe("text for a terminal", () => {
  it.each([
    [0, "0s"],
    [-5_000, "0s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [7_200_000, "2h"],
    [200_000_000, "2d"],
  ])("shows %i ms as %s", (milliseconds, text) => {
    expect(briefAge(milliseconds)).toBe(text);
  });

  it("contains no control characters", () => {
    const line = eventLine(
      {
        stream: "AUTH_EVENTS",
        sequence: 1,
        storedAt: NOW,
        type: "auth.session.started",
        envelope: undefined,
        payload: new TextEncoder().encode("\u001B[2Jgone\u202E\u0085"),
        letter: undefined,
      },
      true,
    );
    expect(line).toBe("2026-06-15T12:00:00.000Z  auth.session.started      not an event  ?[2Jgone??");
  });
});
