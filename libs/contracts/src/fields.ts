import { z } from "zod";

/** Length limits in characters (docs/reference/http.md). */
export const LIMITS = {
  email: 254,
  passwordMin: 8,
  passwordMax: 128,
  fullName: 200,
  deviceName: 100,
  deviceId: 100,
} as const;

/** Returns the length in code points, as PostgreSQL, JSON Schema and zod count it; not in UTF-16 units. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** UTF-16 units that raw text may have for each character of its limit: room for white space and for marks that NFC composes. */
const RAW_UNITS_PER_CHARACTER = 4;

/** Returns whether raw text can fit a limit of `max` characters. Checked before any other work: NFC takes quadratic time. */
const fitsRaw = (raw: string, max: number): boolean => raw.length <= max * RAW_UNITS_PER_CHARACTER;

/** Text that can be stored: PostgreSQL rejects NUL, and UTF-8 has no lone surrogates. `max` limits the raw text. */
export const safeText = (max = Infinity) =>
  z
    .string()
    .refine((value) => fitsRaw(value, max), { error: `must have at most ${max} characters`, abort: true })
    .refine((value) => value.isWellFormed() && !value.includes("\0"), {
      error: "must not contain NUL or unpaired surrogates",
      abort: true,
    });

/** Trimmed text of 1 to `max` characters. */
const trimmedText = (max: number) =>
  safeText(max)
    .transform((value) => value.trim())
    .pipe(z.string().min(1, "must not be blank").max(max, `must have at most ${max} characters`));

/**
 * Returns the form in which an email is stored and looked up: trimmed, NFC, lower case. Text that is too long for any email is returned
 * as it is.
 */
export function normalizeEmail(raw: string): string {
  if (!fitsRaw(raw, LIMITS.email)) return raw;
  return raw.trim().normalize("NFC").toLowerCase();
}

// Loose on purpose: one @, a dot in the domain, no white space, no control character. Only a delivered message proves an
// address (OWASP Input Validation Cheat Sheet, email).
const EMAIL_SHAPE = /^[^\s@\p{Cc}]+@[^\s@.\p{Cc}]+(?:\.[^\s@.\p{Cc}]+)+$/u;

export const emailInput = () =>
  safeText(LIMITS.email)
    .transform(normalizeEmail)
    .pipe(
      z
        .string()
        .max(LIMITS.email, `must have at most ${LIMITS.email} characters`)
        .regex(EMAIL_SHAPE, "must be an email address"),
    );

/** A password that a user chooses (docs/reference/http.md). It is not trimmed. */
export const passwordInput = () =>
  safeText(LIMITS.passwordMax).superRefine((value, context) => {
    const length = lengthOf(value);
    const problems = [
      length < LIMITS.passwordMin && `must have at least ${LIMITS.passwordMin} characters`,
      length > LIMITS.passwordMax && `must have at most ${LIMITS.passwordMax} characters`,
      !/\p{Lu}/u.test(value) && "must contain an upper-case letter",
      !/\p{Nd}/u.test(value) && "must contain a digit",
    ];
    for (const message of problems) if (message) context.addIssue({ code: "custom", message });
  });

/** A password that an admin sets for a user: any text within the length that is hashed. */
export const adminPasswordInput = () =>
  safeText(LIMITS.passwordMax).refine((value) => value !== "" && lengthOf(value) <= LIMITS.passwordMax, {
    error: `must have 1 to ${LIMITS.passwordMax} characters`,
  });

/** A password to verify against the stored hash. Any length: the service rejects a long one as a wrong password. */
export const passwordToVerify = () => safeText();

/** Trimmed text of at most `max` characters, or null. Blank means null. */
const nullableText = (max: number) =>
  z.union(
    [
      z.null(),
      safeText(max)
        .transform((value) => value.trim())
        .pipe(z.string().max(max, `must have at most ${max} characters`))
        .transform((value) => (value === "" ? null : value)),
    ],
    { error: `must be a text of at most ${max} characters, or null` },
  );

export const fullNameInput = () => nullableText(LIMITS.fullName);

/** Trimmed text of at most `max` characters. Blank means absent. */
const optionalText = (max: number) =>
  z
    .union(
      [
        safeText(max)
          .refine((value) => value.trim() === "")
          .transform(() => undefined),
        trimmedText(max),
      ],
      {
        error: `must be a text of at most ${max} characters`,
      },
    )
    .optional();

export const deviceNameInput = () => optionalText(LIMITS.deviceName);
export const deviceIdInput = () => optionalText(LIMITS.deviceId);

/** A well-formed UUID of any version, in lower case as PostgreSQL prints it. */
export const uuid = () =>
  z
    .string()
    .regex(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i, "must be a UUID")
    .transform((value) => value.toLowerCase());

/** A time in RFC 3339, UTC. */
export const timestamp = () => z.string().meta({ format: "date-time" });

export const ROLES = ["user", "admin"] as const;
/** A role that an admin can assign. */
export type AssignableRole = (typeof ROLES)[number];
/** A role as read. A value that this build does not know reads as `unknown` and has no rights. */
export type Role = AssignableRole | "unknown";

export const assignableRole = () => z.enum(ROLES, { error: `must be one of ${ROLES.join(", ")}` });
export const role = () => z.enum([...ROLES, "unknown"]);

export function parseRole(raw: string): Role {
  return (ROLES as readonly string[]).includes(raw) ? (raw as AssignableRole) : "unknown";
}

/** A whole number in a query string, from `min` to `max`. */
export const queryNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
