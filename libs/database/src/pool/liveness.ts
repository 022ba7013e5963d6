import pg from "pg";

const PROBE_MS = 700;
const PING_MS = 500;

/** `dead`: the connection failed. `silent`: it did not answer in time. */
export type ClientState = "alive" | "dead" | "silent";

/**
 * Resolves after all sockets were read once. The first setImmediate may run in the current turn of the event loop, whose sockets were
 * read before; between it and the second one all sockets are read.
 */
export function readWhatHasArrived(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

export async function ping(client: pg.PoolClient): Promise<ClientState> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<"silent">((resolve) => {
    timer = setTimeout(() => resolve("silent"), PING_MS);
  });
  const answer = client.query("select 1").then(
    () => "alive" as const,
    () => "dead" as const,
  );
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** Returns true when the server answers on a new connection. A rejection (full, wrong password) is an answer. */
export async function probe(connection: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: PROBE_MS, query_timeout: PROBE_MS });
  client.on("error", () => {});
  const deadline = setTimeout(() => destroySocket(client, new Error("timeout expired")), PROBE_MS);
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch (error) {
    return error instanceof pg.DatabaseError && !/^(57P|08)/.test(error.code ?? "");
  } finally {
    clearTimeout(deadline);
    client.end().catch(() => {});
  }
}

/** Closes the socket without a message to the server, which may be unreachable. Running statements fail with `reason`. */
export function destroySocket(client: pg.ClientBase, reason?: Error): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(error?: Error): void } } };
  connection.stream.destroy(reason);
}
