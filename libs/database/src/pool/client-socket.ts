import type pg from "pg";

/** Ends a connection without a word to the server, which may be unable to hear it; what runs on it fails with `reason`. */
export function destroySocket(client: pg.ClientBase, reason?: Error): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(error?: Error): void } } };
  connection.stream.destroy(reason);
}
