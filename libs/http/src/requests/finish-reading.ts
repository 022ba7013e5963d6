import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

const BYTES_MAX = 16 * 1024 * 1024;
const MAX_READ_MS = 5_000;

/**
 * Returns a stream that yields `answer` at once and ends when the rest of the request's body is read and discarded, at most
 * 16 MiB or 5 s later. Closing earlier would reset the connection while the client still sends, and the client would lose the answer
 * (RFC 9112, section 9.6).
 */
export function finishReading(request: IncomingMessage, answer: Buffer): Readable {
  return Readable.from(answerThenRest(request, answer), { objectMode: false });
}

async function* answerThenRest(request: IncomingMessage, answer: Buffer): AsyncGenerator<Buffer> {
  yield answer;
  await restOf(request);
}

function restOf(request: IncomingMessage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (request.complete || request.destroyed) resolve();
  const timer = setTimeout(resolve, MAX_READ_MS);
  let bytes = 0;
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) resolve();
  };
  request.on("data", count).once("end", resolve).once("close", resolve).once("error", resolve).resume();
  return promise.finally(() => {
    clearTimeout(timer);
    request.off("data", count);
  });
}
