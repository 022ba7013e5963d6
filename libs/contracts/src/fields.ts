import { z } from "zod";

/** Limits that the contract promises (section 2, Rules), in characters. */
export const LIMITS = {
  email: 254,
  passwordMin: 8,
  passwordMax: 128,
  fullName: 200,
  deviceName: 100,
  deviceId: 100,
} as const;

/** Characters as PostgreSQL, JSON Schema and zod's own limits count them: code points, not UTF-16 units. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/**
 * PostgreSQL's text cannot hold NUL and UTF-8 cannot hold a lone surrogate,
 * so both are refused at the edge rather than failing in the database.
 */
export const safeText = () =>
  z.string().refine((value) => value.isWellFormed() && !value.includes("\0"), {
    error: "must not contain NUL or unpaired surrogates",
    abort: true,
  });

/** Trimmed, not empty, at most `max` characters. */
const trimmedText = (max: number) =>
  safeText()
    .transform((value) => value.trim())
    .pipe(z.string().min(1, "must not be blank").max(max, `must have at most ${max} characters`));

/** The one form in which an email is stored and looked up: trimmed, NFC, lower case. */
export function normalizeEmail(raw: string): string {
  return raw.trim().normalize("NFC").toLowerCase();
}

// Deliberately loose: one @, something on both sides, a dot in the domain, no white space or control character.
// Only a message that arrives proves an address (OWASP Input Validation Cheat Sheet, email).
const EMAIL_SHAPE = /^[^\s@\p{Cc}]+@[^\s@.\p{Cc}]+(?:\.[^\s@.\p{Cc}]+)+$/u;

export const emailInput = () =>
  safeText()
    .transform(normalizeEmail)
    .pipe(
      z
        .string()
        .max(LIMITS.email, `must have at most ${LIMITS.email} characters`)
        .regex(EMAIL_SHAPE, "must be an email address"),
    );

/** A password that a user chooses (contract, section 2). Not trimmed. */
export const passwordInput = () =>
  safeText().superRefine((value, context) => {
    const length = lengthOf(value);
    const problems = [
      length < LIMITS.passwordMin && `must have at least ${LIMITS.passwordMin} characters`,
      length > LIMITS.passwordMax && `must have at most ${LIMITS.passwordMax} characters`,
      !/\p{Lu}/u.test(value) && "must contain an upper-case letter",
      !/\p{Nd}/u.test(value) && "must contain a digit",
    ];
    for (const message of problems) if (message) context.addIssue({ code: "custom", message });
  });

/** A password that an admin sets for somebody: any, within the length that is hashed. */
export const adminPasswordInput = () =>
  safeText().refine((value) => value !== "" && lengthOf(value) <= LIMITS.passwordMax, {
    error: `must have 1 to ${LIMITS.passwordMax} characters`,
  });

/** A password to be checked against the stored hash. Any text: its length is judged with the credentials, not before. */
export const passwordToVerify = () => safeText();

/** null or blank clears the name. */
export const fullNameInput = () =>
  z.union(
    [
      z.null(),
      safeText()
        .transform((value) => value.trim())
        .pipe(z.string().max(LIMITS.fullName, `must have at most ${LIMITS.fullName} characters`))
        .transform((value) => (value === "" ? null : value)),
    ],
    { error: `must be a text of at most ${LIMITS.fullName} characters, or null` },
  );

/** Blank is the same as absent. */
const optionalText = (max: number) =>
  z
    .union(
      [
        safeText()
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

/** Any well-formed UUID, of any version; lower-cased, as PostgreSQL prints them. */
export const uuid = () =>
  z
    .string()
    .regex(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i, "must be a UUID")
    .transform((value) => value.toLowerCase());

/** RFC 3339 in UTC, as this system writes it. */
export const timestamp = () => z.string().meta({ format: "date-time" });

export const ROLES = ["user", "admin"] as const;
/** A role that can be given. */
export type AssignableRole = (typeof ROLES)[number];
/** A role as read: a value this build does not know reads as `unknown` and has no rights. */
export type Role = AssignableRole | "unknown";

export const assignableRole = () => z.enum(ROLES, { error: `must be one of ${ROLES.join(", ")}` });
export const role = () => z.enum([...ROLES, "unknown"]);

export function parseRole(raw: string): Role {
  return (ROLES as readonly string[]).includes(raw) ? (raw as AssignableRole) : "unknown";
}

/** A whole number in a query string. */
export const queryNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
