import { describe, expect, test } from "vitest";
import { z } from "zod";
import { LoginForm, RegisterBody } from "@gatehouse/contracts";
import { AppError, type FieldError } from "@gatehouse/errors";
import { validatorCompiler } from "../../src/schemas/validator.ts";

function validate(schema: z.ZodType, httpPart: string, data: unknown): { value?: unknown; error?: unknown } {
  const compiled = validatorCompiler({ schema, httpPart, method: "POST", url: "/" });
  return compiled(data) as { value?: unknown; error?: unknown };
}

function errorsOf(result: { error?: unknown }): readonly FieldError[] {
  expect(result.error).toBeInstanceOf(AppError);
  const error = result.error as AppError;
  expect([error.code, error.status]).toEqual(["ValidationError", 422]);
  return error.errors ?? [];
}

test("validator › passes transformed input to the handler", () => {
  const body = { email: " A@Example.ORG ", password: "Abcdefg1", full_name: "  " };
  expect(validate(RegisterBody, "body", body).value).toEqual({
    email: "a@example.org",
    password: "Abcdefg1",
    full_name: null,
  });
});

describe("validator, invalid input", () => {
  test.each([
    ["body", "body.email"],
    ["querystring", "query.email"],
    ["params", "path.email"],
    ["headers", "headers.email"],
  ])("names a field of the %s by its path", (part, path) => {
    const errors = errorsOf(validate(z.object({ email: z.string() }), part, { email: 7 }));
    expect(errors.map((error) => error.path)).toEqual([path]);
  });

  test("names an element of an array by its path", () => {
    const schema = z.object({ tokens: z.array(z.object({ kid: z.string() })) });
    expect(errorsOf(validate(schema, "body", { tokens: [{ kid: "a" }, {}] }))).toEqual([
      { path: "body.tokens.1.kid", message: "is required" },
    ]);
  });

  test("reports a missing body as required", () => {
    expect(errorsOf(validate(RegisterBody, "body", undefined))).toEqual([{ path: "body", message: "is required" }]);
  });

  test("names an unknown field", () => {
    const body = { email: "a@b.cd", password: "Abcdefg1", is_admin: true };
    expect(errorsOf(validate(RegisterBody, "body", body))).toEqual([
      { path: "body.is_admin", message: "is not a known field" },
    ]);
  });
});

test("validator › never repeats input in a message", () => {
  const errors = errorsOf(validate(LoginForm, "body", { username: "s3cret\0", password: ["s3cret"], scope: 1 }));
  expect(errors.length).toBe(3);
  expect(JSON.stringify(errors)).not.toContain("s3cret");
});

test("validator › keeps the answer small for 100,000 unknown fields", () => {
  const body = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`field${index}`, 1]));
  const errors = errorsOf(validate(z.strictObject({}), "body", body));
  expect(errors.length).toBe(20);
});

test("validator › truncates the path of a field with a name of 1 MiB", () => {
  const errors = errorsOf(validate(z.strictObject({}), "body", { ["x".repeat(1024 * 1024)]: 1 }));
  expect(errors[0]?.path.length).toBeLessThan(250);
});
