import { InvalidArgumentError, Option } from "commander";

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * `10m` (so long ago; s, m, h, d) or a time as RFC 3339 has it.
 * @throws InvalidArgumentError
 */
export function parseSince(text: string, now: Date): Date {
  const age = /^(\d{1,6})([smhd])$/.exec(text);
  if (age) return new Date(now.getTime() - Number(age[1]) * UNIT_MS[age[2] as keyof typeof UNIT_MS]);
  const time = /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? new Date(text) : undefined;
  if (time !== undefined && time <= now) return time;
  throw new InvalidArgumentError("Say how long ago, as in 30s, 10m, 2h, 7d, or when, as in 2026-01-31T12:00:00Z.");
}

/** @throws InvalidArgumentError */
export function parseType(text: string): string {
  if (/^(?:(?:[\w-]+|\*)\.)*(?:[\w-]+|\*|>)$/.test(text)) return text;
  throw new InvalidArgumentError(
    "Say a type, as in auth.account.created; * stands for one part, a last > for the rest.",
  );
}

/** @throws InvalidArgumentError */
function parseConsumer(text: string): string {
  if (/^[\w-]+$/.test(text)) return text;
  throw new InvalidArgumentError("Say the name of a durable consumer, as in user.");
}

/** @throws InvalidArgumentError */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Say a whole number from 1 on.");
}

export const sinceOption = (what: string): Option =>
  new Option("--since <age>", what).argParser((text: string) => parseSince(text, new Date()));
export const typeOption = (): Option =>
  new Option("--type <type>", "of this type; * stands for one part, a last > for the rest").argParser(parseType);
export const userOption = (): Option => new Option("--user <id>", "about this user");
export const consumerOption = (): Option =>
  new Option("--consumer <name>", "that this durable consumer gave up on").argParser(parseConsumer);
export const errorOption = (): Option => new Option("--error <text>", "whose error contains this, in any case");
export const dataOption = (): Option =>
  new Option("--data", "the data too, personal data included: mind who sees the terminal and what keeps it");
