import { databaseUrl } from "@gatehouse/local-stack";
import { join } from "node:path";
import pg from "pg";
import type { System } from "../system/system.ts";
import type { Source } from "./dump.ts";

/** The system's database as its superuser reaches it. */
export function sourceOf({ servers, databaseUrls }: System): Source {
  const { postgres } = servers;
  return {
    databaseUrls,
    folder: join(postgres.folder, "dump"),
    connect: () => connect(databaseUrl(postgres.url, "gatehouse")),
    connectAsOwner: () => connect(databaseUrls.owner),
  };
}

/** Loses everything: database, roles, streams, counters. The services must be stopped. */
export async function loseEverything({ servers }: System): Promise<void> {
  const superuser = await connect(servers.postgres.url);
  try {
    await superuser.query("drop database gatehouse with (force)");
    await superuser.query("drop role gatehouse_auth, gatehouse_user");
  } finally {
    await superuser.end();
  }
  await servers.nats.restart({ wipe: true });
  await servers.redis.restart({ wipe: true });
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
