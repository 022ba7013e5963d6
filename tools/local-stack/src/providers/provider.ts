import type { Part, Source } from "../servers/running-server.ts";

/** What one provider says about one part: how it would serve it, or why it cannot. */
export type Look = { readonly source: Source } | { readonly reason: string };

export interface Provider {
  readonly name: string;
  look(): Promise<Look>;
}

/** Nothing serves a part. The message names it, says what each provider lacked, and the ways to provide it. */
export class NoProviderError extends Error {
  readonly part: Part;

  constructor(part: Part, reasons: readonly string[]) {
    super(
      [
        `${PART_NAMES[part]} cannot be provided on this machine:`,
        ...reasons.map((reason) => `  - ${reason}`),
        `Ways to provide it: ${WAYS[part]}.`,
      ].join("\n"),
    );
    this.name = "NoProviderError";
    this.part = part;
  }
}

export const PART_NAMES: Record<Part, string> = { postgres: "PostgreSQL", nats: "NATS", redis: "Redis" };

const WAYS: Record<Part, string> = {
  postgres:
    "set DATABASE_URL to a server's owner, install PostgreSQL 17 or later, or start a Docker engine that can get postgres:18",
  nats: "set NATS_URL, install nats-server 2.9 or later, start a Docker engine that can get nats:2, or let apt-get reach Debian's packages",
  redis:
    "set REDIS_URL, install redis-server 6 or later, start a Docker engine that can get redis:8, or let apt-get reach Debian's packages",
};

/**
 * Asks the providers one after the other and takes the first that serves.
 * @throws NoProviderError when none does
 */
export async function chooseSource(
  part: Part,
  providers: readonly Provider[],
  note: (line: string) => void = () => undefined,
): Promise<Source> {
  const reasons: string[] = [];
  for (const provider of providers) {
    const look = await provider.look();
    if ("source" in look) {
      for (const reason of reasons.filter((line) => line.includes(" is needed for "))) note(reason);
      return look.source;
    }
    reasons.push(`${provider.name}: ${look.reason}`);
  }
  throw new NoProviderError(part, reasons);
}
