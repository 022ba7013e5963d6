import { isTransientDatabaseError, translateDatabaseError, violatedConstraint } from "@gatehouse/database";
import { AppError } from "@gatehouse/errors";
import { describe, expect, test } from "vitest";

const coded = (code: string, more: object = {}) => Object.assign(new Error("x"), { code, ...more });

describe("translateDatabaseError with a rejected login", () => {
  test.each([
    ["the password is another", coded("28P01")],
    ["no rule fits", coded("28000")],
    ["the database does not exist", coded("3D000")],
  ])("returns 503 for %s, which is not transient", (_what, error) => {
    expect(translateDatabaseError(error)?.status).toBe(503);
    expect(isTransientDatabaseError(error)).toBe(false);
  });
});

describe("translateDatabaseError with an unavailable database", () => {
  test.each([
    ["nobody listens", coded("ECONNREFUSED")],
    ["the connection broke", coded("ECONNRESET")],
    ["the name is unknown", coded("ENOTFOUND")],
    ["every address refused", Object.assign(new AggregateError([coded("ECONNREFUSED")]), { code: "ECONNREFUSED" })],
    ["the administrator ended it", coded("57P01")],
    ["it crashed", coded("57P02")],
    ["it is starting", coded("57P03")],
    ["it takes no more connections", coded("53300")],
    ["its disk is full", coded("53100")],
    ["its disk fails", coded("58030")],
    ["it is no primary any more", coded("25006")],
    ["the connection failed by its own account", coded("08006")],
    ["a statement took too long", coded("57014")],
    ["a lock took too long", coded("55P03")],
    ["a transaction lay idle too long", coded("25P03")],
    ["a deadlock was cut", coded("40P01")],
    ["a serialization failed", coded("40001")],
    ["pg lost the connection", new Error("Connection terminated unexpectedly")],
    ["pg did not get one", new Error("timeout expired")],
    ["pg's pool did not get one", new Error("timeout exceeded when trying to connect")],
    ["pg used a lost one", new Error("Client has encountered a connection error and is not queryable")],
    ["the pool is closed", new Error("Cannot use a pool after calling end on the pool")],
  ])("returns ServiceUnavailable for %s, which is transient", (_, error) => {
    const translated = translateDatabaseError(error);
    expect(translated).toMatchObject({ code: "ServiceUnavailable", status: 503, retryAfter: 1, cause: error });
    expect(translated?.detail).toBe("The database is unavailable; try again shortly.");
    expect(isTransientDatabaseError(error)).toBe(true);
  });

  test("leaves a translated error unchanged, which is transient", () => {
    const error = new AppError("ServiceUnavailable");
    expect(translateDatabaseError(error)).toBeUndefined();
    expect(isTransientDatabaseError(error)).toBe(true);
  });
});

describe("translateDatabaseError with other errors", () => {
  test.each([
    ["a broken constraint", coded("23505")],
    ["a wrong statement", coded("42601")],
    ["a missing table", coded("42P01")],
    ["another error", new Error("Connection is a nice word")],
    ["an error of ours", new AppError("EmailAlreadyExists")],
    ["no error at all", undefined],
    ["a text", "ECONNREFUSED"],
  ])("does not translate %s, which is not transient", (_, error) => {
    expect(translateDatabaseError(error)).toBeUndefined();
    expect(isTransientDatabaseError(error)).toBe(false);
  });
});

describe("violatedConstraint", () => {
  test("returns the constraint", () => {
    expect(violatedConstraint(coded("23505", { constraint: "accounts_email_key" }))).toBe("accounts_email_key");
    expect(violatedConstraint(coded("23514", { constraint: "size_check" }))).toBe("size_check");
  });

  test("is undefined for other errors", () => {
    expect(violatedConstraint(coded("42501", { constraint: "accounts_email_key" }))).toBeUndefined();
    expect(violatedConstraint(coded("23502"))).toBeUndefined();
    expect(violatedConstraint(null)).toBeUndefined();
  });
});
