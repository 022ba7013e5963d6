import { AppError } from "@gatehouse/errors";
import { createLogger } from "@gatehouse/observability";
import { describe, expect, it } from "vitest";
import { openSchemaGate } from "../../src/db/schema-gate.ts";

const logger = createLogger({ service: "test", level: "silent" });
const away = () => new AppError("ServiceUnavailable");

/** A check that fails with each error in turn, then passes. */
function checkFailingWith(...errors: Error[]) {
  return async () => {
    const error = errors.shift();
    if (error) throw error;
  };
}

describe("what happens when the schema is checked at the start", () => {
  it("a migrated one opens the gate at once, and what waits for it begins", async () => {
    let opened = 0;
    const gate = await openSchemaGate({ check: checkFailingWith(), onOpen: () => (opened += 1), logger });
    expect([gate.isOpen(), opened]).toEqual([true, 1]);
  });

  it("a database that is there and not migrated stops the start", async () => {
    const check = checkFailingWith(new Error("run `pnpm migrate up` first"));
    await expect(openSchemaGate({ check, onOpen: () => undefined, logger })).rejects.toThrow("pnpm migrate up");
  });

  it("a database that is away is waited for, and for its migrations, too", async () => {
    const unmigrated = new Error("run `pnpm migrate up` first");
    const check = checkFailingWith(away(), away(), unmigrated, unmigrated, away(), unmigrated);
    const opened = Promise.withResolvers<void>();
    const lines: string[] = [];
    const told = createLogger({
      service: "test",
      level: "info",
      destination: { write: (line) => void lines.push(line) },
    });
    const gate = await openSchemaGate({ check, onOpen: opened.resolve, logger: told, retryMilliseconds: 1 });
    expect(gate.isOpen()).toBe(false);
    await opened.promise;
    expect(gate.isOpen()).toBe(true);
    // One line for what heals by itself, one that names the mend, however often it is tried.
    expect(lines).toEqual([expect.stringContaining('"level":"warn"'), expect.stringContaining("pnpm migrate up")]);
  });

  it("a gate that is closed waits no longer and never opens", async () => {
    const check = async () => {
      throw away();
    };
    const onOpen = () => expect.unreachable();
    const gate = await openSchemaGate({ check, onOpen, logger, retryMilliseconds: 1 });
    await gate.close();
    expect(gate.isOpen()).toBe(false);
  });
});
