import { describe, expect, test, vi } from "vitest";
import {
  AdminCreateUserBody,
  AdminListUsersQuery,
  ChangePasswordBody,
  LIMITS,
  LoginForm,
  normalizeEmail,
  parseRole,
  RegisterBody,
  UserIdParams,
} from "../../src/index.ts";

const SMILE = "😀";
const email = "ada@example.com";
const password = "Passw0rd";

const isAccepted = (body: object) => RegisterBody.safeParse({ email, password, ...body }).success;

describe("length limits, in code points", () => {
  test.each([
    ["a password of 8", { password: `A1${"x".repeat(6)}` }, true],
    ["a password of 7", { password: `A1${"x".repeat(5)}` }, false],
    ["a password of 7 that takes 12 UTF-16 units", { password: `A1${SMILE.repeat(5)}` }, false],
    ["a password of 128", { password: `A1${"x".repeat(126)}` }, true],
    ["a password of 128 in many bytes", { password: `A1${SMILE.repeat(126)}` }, true],
    ["a password of 129", { password: `A1${SMILE.repeat(127)}` }, false],
    ["a name of 200", { full_name: SMILE.repeat(LIMITS.fullName) }, true],
    ["a name of 201", { full_name: SMILE.repeat(LIMITS.fullName + 1) }, false],
    ["a name of 200 between blanks", { full_name: `  ${"x".repeat(LIMITS.fullName)}  ` }, true],
    ["an email of 254", { email: `${"x".repeat(LIMITS.email - 12)}@example.com` }, true],
    ["an email of 255", { email: `${"x".repeat(LIMITS.email - 11)}@example.com` }, false],
  ])("accept or reject %s", (_what, body, fits) => {
    expect(isAccepted(body)).toBe(fits);
  });

  test.each([
    ["0", "", false],
    ["1", "a", true],
    ["128", SMILE.repeat(128), true],
    ["129", SMILE.repeat(129), false],
  ])("of an admin-set password accept or reject %s characters", (_what, chosen, fits) => {
    expect(AdminCreateUserBody.safeParse({ email, password: chosen }).success).toBe(fits);
  });
});

describe("text that PostgreSQL cannot store", () => {
  test.each([
    ["NUL", "a\0b"],
    ["a lone high surrogate", "a\ud800"],
    ["a lone low surrogate", "\udc00a"],
  ])("%s is rejected in every text field", (_what, text) => {
    expect(isAccepted({ full_name: text })).toBe(false);
    expect(isAccepted({ email: `${text}@example.com` })).toBe(false);
    expect(isAccepted({ password: `${password}${text}` })).toBe(false);
    expect(ChangePasswordBody.safeParse({ current_password: text, new_password: password }).success).toBe(false);
  });
});

describe("raw length", () => {
  // NFC takes quadratic time for combining marks that are not in order: seconds for this text.
  const marks = `a${"\u0300\u0316".repeat(100_000)}`;
  const fields = {
    email: (text: string) => RegisterBody.safeParse({ email: text, password }),
    full_name: (text: string) => RegisterBody.safeParse({ email, password, full_name: text }),
    username: (text: string) => LoginForm.safeParse({ username: text, password }),
    device_name: (text: string) => LoginForm.safeParse({ username: email, password, device_name: text }),
    device_id: (text: string) => LoginForm.safeParse({ username: email, password, device_id: text }),
    q: (text: string) => AdminListUsersQuery.safeParse({ q: text }),
  };

  // Without the check, trimming would make the text short enough.
  test.each(Object.entries(fields))(
    "%s is rejected by the length of its raw text, before it is trimmed",
    (_name, parse) => {
      expect(parse(`${" ".repeat(100)}${email}`).success).toBe(true);
      expect(parse(`${" ".repeat(4 * LIMITS.email)}${email}`).success).toBe(false);
      expect(parse(marks).success).toBe(false);
    },
  );

  test("a new password is rejected by the length of its raw text, before its characters are looked at", () => {
    const { error } = RegisterBody.safeParse({ email, password: marks });
    expect(error?.issues.map(({ message }) => message)).toEqual(["must have at most 128 characters"]);
  });

  test("a text that is too long for any email is not normalized", () => {
    using normalize = vi.spyOn(String.prototype, "normalize");
    expect(normalizeEmail(marks)).toBe(marks);
    expect(normalize).not.toHaveBeenCalled();
  });

  test("an email of 254 characters is accepted in decomposed form and between spaces", () => {
    const long = `${"\u00e9".repeat(242)}@example.com`;
    expect(RegisterBody.parse({ email: `  ${long.normalize("NFD")}  `, password }).email).toBe(long);
  });
});

describe("normalization", () => {
  test("trims, composes and lower-cases an email", () => {
    expect(normalizeEmail("  Ada.E\u0301@Example.COM ")).toBe("ada.\u00e9@example.com");
  });

  test.each(["ada", "ada@", "@example.com", "ada@example", "a da@example.com", "ada@@example.com", "ada@example..com"])(
    "rejects %s as an email",
    (text) => {
      expect(isAccepted({ email: text })).toBe(false);
    },
  );

  test("lower-cases an id", () => {
    const id = "01A212DB-03D2-77F7-A77D-99E76A2C3F30";
    expect(UserIdParams.parse({ id })).toEqual({ id: id.toLowerCase() });
  });

  test("turns a blank name into null", () => {
    expect(RegisterBody.parse({ email, password, full_name: "  " })).toMatchObject({ full_name: null });
  });

  test("reads a role of a later build as unknown", () => {
    expect(["user", "admin", "owner", ""].map(parseRole)).toEqual(["user", "admin", "unknown", "unknown"]);
  });
});
