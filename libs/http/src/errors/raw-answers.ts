import { AppError, problemHeaders, toProblem } from "@gatehouse/errors";
import { correlationIdFrom, type Logger, openContext, runInContext } from "@gatehouse/observability";
import { type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

// How long a rejected client may still send before its connection is destroyed.
const LINGER_MS = 1_000;

/** Node's private field on a socket: the response to the previous request. */
interface WithPending {
  readonly _httpMessage?: ServerResponse | null;
}

/** Answers input that never becomes a request (malformed HTTP, oversized headers, unknown methods) as a problem, like every error. */
export function createClientErrorHandler(logger: Pick<Logger, "info">) {
  const answered = new WeakSet<Duplex>();
  return (error: NodeJS.ErrnoException, socket: Duplex): void => {
    // More input from a rejected client raises the same error again.
    if (answered.has(socket)) return;
    answered.add(socket);
    const pending = (socket as WithPending)._httpMessage;
    if (pending?.req.complete) {
      // The previous request was well formed; its answer goes first.
      pending.once("close", () => answerRaw(logger, socket, refusalOf(error.code)));
    } else if (error.code === "ECONNRESET" || pending?.headersSent) {
      socket.destroy();
    } else {
      // The client has sent everything, so there is nothing to wait for.
      const linger = error.code === "HPE_INVALID_EOF_STATE" ? 0 : LINGER_MS;
      // A request with a valid head has its own log line.
      answerRaw(pending ? undefined : logger, socket, refusalOf(error.code), linger);
    }
  };
}

function refusalOf(code: string | undefined): AppError {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new AppError("PayloadTooLarge", { status: 431, detail: "The headers are too large" });
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new AppError("PayloadTooLarge", { detail: "The chunk extensions are too large" });
    case "HPE_INVALID_METHOD":
      return new AppError("ResourceNotFound");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new AppError("BadRequest", { status: 408, detail: "The request did not arrive in time" });
    default:
      return new AppError("BadRequest", { detail: "The request is not well-formed HTTP" });
  }
}

/** Answers CONNECT with 404, like any unknown method; Node would close the connection without an answer. */
export function rejectConnect(server: Server, logger: Pick<Logger, "info">): void {
  server.on("connect", (_request, socket: Duplex) => {
    socket.on("error", () => socket.destroy());
    answerRaw(logger, socket, new AppError("ResourceNotFound"));
  });
}

function answerRaw(
  logger: Pick<Logger, "info"> | undefined,
  socket: Duplex,
  error: AppError,
  lingerMs = LINGER_MS,
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const correlationId = correlationIdFrom(undefined);
  const line = { route: "none", status: error.status, problem: error.code };
  runInContext(openContext({ correlationId, traceparent: undefined }), () => logger?.info(line, "request"));
  const body = JSON.stringify(toProblem(error, correlationId));
  const headers = {
    ...problemHeaders(error),
    "content-length": Buffer.byteLength(body),
    "x-correlation-id": correlationId,
    date: new Date().toUTCString(),
    connection: "close",
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // Closes only the sending half: a client that still sends is not reset before it reads the answer.
  socket.end(`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${head.join("")}\r\n${body}`, () => {
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer));
  });
}
