import { REPOSITORY_ROOT } from "@gatehouse/local-stack";
import { randomBytes } from "node:crypto";
import { join } from "node:path";

const USERS = ["auth", "user", "gateway", "ops", "audit-log"] as const;

/** A user of the shipped configuration. */
export type BusUser = (typeof USERS)[number];

/** A password for each user of the shipped configuration. */
export interface BusPasswords {
  /** The variables that the configuration reads. */
  readonly environment: Readonly<Record<string, string>>;
  /** Returns `user:password`, encoded for a URL. */
  credentialsOf(user: BusUser): string;
}

export function inventPasswords(): BusPasswords {
  const passwords = new Map(USERS.map((user) => [user, newPassword()]));
  const nameOf = (user: BusUser) => `NATS_${user.toUpperCase().replaceAll("-", "_")}_PASSWORD`;
  return {
    environment: Object.fromEntries(USERS.map((user) => [nameOf(user), passwords.get(user) ?? ""])),
    credentialsOf: (user) => `${user}:${passwords.get(user)}`,
  };
}

/** Returns a password that starts with a letter; nats-server would read digits as a number. */
export function newPassword(): string {
  return `p${randomBytes(18).toString("hex")}`;
}

/** Returns the path of a file of deploy/nats. */
export function shippedConfiguration(file: string): string {
  return join(REPOSITORY_ROOT, "deploy", "nats", file);
}
