import type { Msg } from "@nats-io/nats-core";

const NO_RESPONDERS = 503;

/** JetStream rejected the message, or its reply is malformed. */
class RefusedError extends Error {
  /** JetStream's error code, where its reply has one. */
  readonly code: string | undefined;
  constructor(message: string, code?: number) {
    super(message);
    this.name = "RefusedError";
    this.code = code === undefined ? undefined : String(code);
  }
}

/** No stream has the subject, or JetStream is off. */
export class NoStreamError extends Error {
  constructor() {
    super("no stream has the subject");
    this.name = "NoStreamError";
  }
}

/** JetStream did not reply. */
export class UnansweredError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnansweredError";
  }
}

interface Acknowledgement {
  /** The message's sequence in the stream. */
  readonly sequence: number;
  readonly isDuplicate: boolean;
}

interface Reply {
  readonly error?: { readonly description?: string; readonly err_code?: number };
  readonly seq?: number;
  readonly duplicate?: boolean;
}

/** Returns JetStream's acknowledgement of a publish, or the reason why there is none. */
export function parsePublishReply(message: Msg): Acknowledgement | Error {
  if (message.headers?.code === NO_RESPONDERS) return new NoStreamError();
  try {
    const { error, seq, duplicate = false } = message.json<Reply>();
    if (seq !== undefined && !error) return { sequence: seq, isDuplicate: duplicate };
    return new RefusedError(error?.description ?? "JetStream rejected the message", error?.err_code);
  } catch {
    return new RefusedError("JetStream's reply is not JSON");
  }
}
