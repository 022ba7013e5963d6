import { AppError } from "@gatehouse/errors";
import { expect, test } from "vitest";
import { explainingFailures } from "../../src/schema/setup-error.ts";

const lost = new Error("Connection terminated unexpectedly");
const refused = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" });

test.each([
  [
    "the pool's wait for a connection was over",
    new Error("Connection terminated due to connection timeout", { cause: lost }),
    "Connection terminated due to connection timeout",
  ],
  ["a connection broke", lost, "Connection terminated unexpectedly"],
  ["every address refused", refused, "ECONNREFUSED"],
  [
    "a service's pool reports that the database is unavailable",
    new AppError("ServiceUnavailable", { cause: refused }),
    "ECONNREFUSED",
  ],
])("explainingFailures names the reason of an unavailable server: %s", async (_, error, reason) => {
  const failing = explainingFailures("postgres://someone:hush@127.0.0.1:5432/x", () => Promise.reject(error));
  await expect(failing).rejects.toMatchObject({
    name: "DatabaseSetupError",
    message: `PostgreSQL at 127.0.0.1:5432 is unavailable: ${reason}`,
  });
});
