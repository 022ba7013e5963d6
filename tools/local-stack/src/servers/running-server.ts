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

/** How a NATS server is set up beyond a port and a folder. */
export interface NatsSetup {
  /** The path of a configuration file; address and port are decided over it, and NATS_STORE_DIR tells it where the data go. What it names must lie beside it. */
  readonly configuration: string;
  /** The other variables that the file refers to. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ServerOptions {
  /** The server's own folder: its data, and what it must remember from one start to the next. */
  readonly folder: string;
  /** A free port is taken when none is given. */
  readonly port?: number | undefined;
  /** Whether data must survive a crash of the machine; throw-away servers are faster without. */
  readonly durable: boolean;
  readonly password?: string | undefined;
  readonly nats?: NatsSetup | undefined;
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
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
}

/** The end of a server that is not a process of ours. */
export const NEVER: Promise<string> = new Promise(() => undefined);
