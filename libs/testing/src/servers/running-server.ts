import type { PidRecords } from "../process/pid-records.ts";

export type Part = "postgres" | "nats" | "redis";

/** How a part is served; plain data, so that one process can look and others start. */
export type Source =
  | { readonly kind: "url"; readonly url: string; readonly label: string }
  | {
      readonly kind: "program";
      readonly command: string;
      readonly environment: NodeJS.ProcessEnv;
      readonly label: string;
    }
  | { readonly kind: "docker"; readonly image: string; readonly label: string }
  | { readonly kind: "testcontainers"; readonly image: string; readonly label: string };

export interface ServerOptions {
  /** The server's own folder: its data, and what it must remember from one start to the next. */
  readonly folder: string;
  /** A free port is taken when none is given. */
  readonly port?: number | undefined;
  /** Whether data must survive a crash of the machine; throw-away servers are faster without. */
  readonly durable: boolean;
  readonly password?: string | undefined;
  readonly records?: PidRecords | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RunningServer {
  /** For PostgreSQL the URL of its superuser and the database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Settles, with how, when the server has ended; never for one that is not a process of ours. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** The end of a server that is not a process of ours. */
export const NEVER: Promise<string> = new Promise(() => undefined);
