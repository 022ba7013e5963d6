import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";

/** The maximum time for events between the two services. */
const WITHIN_MS = 30_000;

/**
 * Waits until the user service has the first admin, whom auth creates at startup. Returns at once when an admin already
 * existed, because auth then creates none.
 */
export async function waitForFirstAdmin(
  email: string,
  databaseUrls: { readonly auth: string; readonly user: string },
  signal?: AbortSignal,
): Promise<void> {
  // The form in which emails are stored.
  const stored = email.trim().normalize("NFC").toLowerCase();
  await withClient(databaseUrls.auth, async (auth) => {
    const account = await auth.query("select from accounts where email = $1 and deleted_at is null", [stored]);
    if (account.rowCount === 0) return;
    await withClient(databaseUrls.user, async (user) => {
      const deadline = performance.now() + WITHIN_MS;
      while ((await user.query("select from users where email = $1", [stored])).rowCount === 0) {
        signal?.throwIfAborted();
        if (performance.now() > deadline)
          throw new Error("The user service has not heard of the first admin within 30 s");
        await delay(25);
      }
    });
  });
}

/** Returns whether an admin exists. */
export async function hasAdmin(authDatabaseUrl: string): Promise<boolean> {
  let found = false;
  await withClient(authDatabaseUrl, async (auth) => {
    const admins = await auth.query("select from accounts where role = 'admin' and deleted_at is null limit 1");
    found = admins.rowCount !== 0;
  });
  return found;
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  // A lost connection fails the next query; without a listener it would end the process.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
