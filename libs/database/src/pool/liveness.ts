import pg from "pg";
import { destroySocket } from "./client-socket.ts";

const PROBE_MS = 700;
const PING_MS = 500;

/** `dead` is a connection that said that it is; `silent` one that said nothing. */
export type ClientState = "alive" | "dead" | "silent";

/**
 * What the server has said by now is known after one whole turn of the event loop. The first setImmediate may come in the
 * turn at hand, whose sockets were read before; between it and the second all of them are read.
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

/** Whether the server answers on a new connection. A refusal by the server (full, wrong password) is an answer. */
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
