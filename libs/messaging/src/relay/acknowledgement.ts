import type { Msg } from "@nats-io/nats-core";

const NO_RESPONDERS = 503;

/** JetStream does not take the message, or what it says of it makes no sense. */
class RefusedError extends Error {
  /** JetStream's own, where it gives one. */
  readonly code: string | undefined;
  constructor(message: string, code?: number) {
    super(message);
    this.name = "RefusedError";
    this.code = code === undefined ? undefined : String(code);
  }
}

/** Nobody listens on the subject: no stream takes it, or JetStream is off. */
export class NoStreamError extends Error {
  constructor() {
    super("no stream takes the subject");
    this.name = "NoStreamError";
  }
}

/** There was no word of JetStream's. */
export class UnansweredError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnansweredError";
  }
}

interface Word {
  /** Under which JetStream has the message. */
  readonly sequence: number;
  readonly isDuplicate: boolean;
}

interface Answer {
  readonly error?: { readonly description?: string; readonly err_code?: number };
  readonly seq?: number;
  readonly duplicate?: boolean;
}

/** @returns where JetStream has the message, or why it has not */
export function wordIn(message: Msg): Word | Error {
  if (message.headers?.code === NO_RESPONDERS) return new NoStreamError();
  try {
    const { error, seq, duplicate = false } = message.json<Answer>();
    if (seq !== undefined && !error) return { sequence: seq, isDuplicate: duplicate };
    return new RefusedError(error?.description ?? "JetStream refused the message", error?.err_code);
  } catch {
    return new RefusedError("JetStream's answer is no JSON");
  }
}
