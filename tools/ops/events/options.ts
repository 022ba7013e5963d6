import { InvalidArgumentError, Option } from "commander";

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Parses an age (`10m`; s, m, h, d) or an RFC 3339 time.
 * @throws InvalidArgumentError
 */
export function parseSince(text: string, now: Date): Date {
  const age = /^(\d{1,6})([smhd])$/.exec(text);
  if (age) return new Date(now.getTime() - Number(age[1]) * UNIT_MS[age[2] as keyof typeof UNIT_MS]);
  const time = /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? new Date(text) : undefined;
  if (time !== undefined && time <= now) return time;
  throw new InvalidArgumentError("Use an age such as 30s, 10m, 2h, 7d, or a time such as 2026-01-31T12:00:00Z.");
}

const matching = (pattern: RegExp, message: string) => (text: string) => {
  if (pattern.test(text)) return text;
  throw new InvalidArgumentError(message);
};

/** @throws InvalidArgumentError */
export const parseType = matching(
  /^(?:(?:[\w-]+|\*)\.)*(?:[\w-]+|\*|>)$/,
  "Use a type such as auth.account.created; * matches one part, a last > the rest.",
);
const parseConsumer = matching(/^[\w-]+$/, "Use the name of a durable consumer, such as user.");
const parseNumber = matching(/^[1-9]\d{0,8}$/, "Use a whole number, at least 1.");
/** @throws InvalidArgumentError */
export const parseCount = (text: string): number => Number(parseNumber(text));

export const sinceOption = (what: string): Option =>
  new Option("--since <age>", what).argParser((text: string) => parseSince(text, new Date()));
export const typeOption = (): Option =>
  new Option("--type <type>", "of this type; * matches one part, a last > the rest").argParser(parseType);
export const userOption = (): Option => new Option("--user <id>", "about this user");
export const dataOption = (): Option => new Option("--data", "include the data, which may be personal");

/** The filters of dead letters. */
export const letterOptions = (): Option[] => [
  new Option("--consumer <name>", "that this durable consumer gave up on").argParser(parseConsumer),
  typeOption(),
  sinceOption("that died within this age (10m, 2h, 7d) or since a time"),
  userOption(),
  new Option("--error <text>", "whose error contains this text, in any case"),
];
