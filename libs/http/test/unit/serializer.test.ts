import { expect, test } from "vitest";
import { z } from "zod";
import { AdminUserList, LoginResponse, profileOf, PublicUser, Readiness, User } from "@gatehouse/contracts";
import { NoContent } from "@gatehouse/http";
import { serializerCompiler } from "../../src/schemas/serializer.ts";

function serializer(schema: z.ZodType): (data: unknown) => string {
  return serializerCompiler({ schema, method: "GET", url: "/" });
}

const user: User = {
  id: "0197f7a0-0000-7000-8000-000000000000",
  email: "a@b.cd",
  ...profileOf({}),
  is_active: true,
  is_verified: false,
  role: "user",
  created_at: "2026-01-01T00:00:00.000Z",
  updated_at: "2026-01-01T00:00:00.000Z",
};

test("serializer › writes an answer as it is", () => {
  expect(JSON.parse(serializer(User)(user))).toEqual(user);
  const login = { access_token: "t", token_type: "bearer", expires_in: 900, user };
  expect(JSON.parse(serializer(LoginResponse)(login))).toEqual(login);
  const readiness = { status: "ready", checks: { database: "degraded" } };
  expect(JSON.parse(serializer(Readiness)(readiness))).toEqual(readiness);
});

test("serializer › omits unknown fields, nested ones too", () => {
  const row = { ...user, is_deleted: false, deleted_at: null, password_hash: "$argon2id$" };
  const text = serializer(AdminUserList)({ items: [row], total: 1, total_exact: true, next_cursor: null, sql: "x" });
  expect(JSON.parse(text)).toEqual({
    items: [{ ...user, is_deleted: false, deleted_at: null }],
    total: 1,
    total_exact: true,
    next_cursor: null,
  });
});

test("serializer › writes each member of a union", () => {
  const serialize = serializer(z.union([User, PublicUser]));
  const publicUser: PublicUser = { id: user.id, full_name: "A", created_at: user.created_at };
  expect(JSON.parse(serialize(user))).toEqual(user);
  expect(JSON.parse(serialize(publicUser))).toEqual(publicUser);
});

test("serializer › escapes text", () => {
  for (const full_name of ['"quoted"', "back\\slash", "new\nline", "\u2028\u0001", "\ud83d\ude00", "</script>"]) {
    expect(JSON.parse(serializer(User)({ ...user, full_name }))).toMatchObject({ full_name });
  }
});

test("serializer › throws when a field is missing", () => {
  const { email: _email, ...rest } = user;
  expect(() => serializer(User)(rest)).toThrow("email");
  expect(() => serializer(AdminUserList)({ total: 1 })).toThrow("items");
});

test("serializer › rejects a schema without a JSON form at startup", () => {
  expect(() => serializer(z.object({ at: z.string().transform((text) => new Date(text)) }))).toThrow();
});

test("serializer › writes nothing for 204", () => {
  expect(serializer(NoContent)(undefined)).toBe("");
});
