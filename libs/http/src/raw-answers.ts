import { AppError, problemHeaders, toProblem } from "@gatehouse/errors";
import { correlationIdFrom, type Logger } from "@gatehouse/observability";
import { type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

// How long a client that was refused may go on sending before it is cut off.
const LINGER_MILLISECONDS = 1_000;

interface PendingResponse {
  readonly headersSent: boolean;
}

/**
 * Answers, in the same shape as everything else, what never becomes a request: broken HTTP, headers that are too
 * large, methods that Node does not know.
 */
export function createClientErrorHandler(logger: Pick<Logger, "debug">) {
  return (error: NodeJS.ErrnoException, socket: Duplex): void => {
    const pending = (socket as { _httpMessage?: PendingResponse | null })._httpMessage;
    if (error.code === "ECONNRESET" || !socket.writable || pending?.headersSent) {
      socket.destroy();
      return;
    }
    logger.debug({ reason: error.code }, "a connection was refused");
    answerRaw(socket, refusalOf(error.code));
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

/** CONNECT is a method like any other that nobody serves; Node would close the connection without a word. */
export function refuseConnect(server: Server): void {
  server.on("connect", (_request, socket: Duplex) => {
    socket.on("error", () => socket.destroy());
    answerRaw(socket, new AppError("ResourceNotFound"));
  });
}

function answerRaw(socket: Duplex, error: AppError): void {
  const correlationId = correlationIdFrom(undefined);
  const body = JSON.stringify(toProblem(error, correlationId));
  const headers = {
    ...problemHeaders(error),
    "content-length": Buffer.byteLength(body),
    "x-correlation-id": correlationId,
    date: new Date().toUTCString(),
    connection: "close",
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // Only the sending half is closed, so that a client in the middle of sending is not reset before it reads.
  socket.end(`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${head.join("")}\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), LINGER_MILLISECONDS);
  socket.once("close", () => clearTimeout(timer));
}
