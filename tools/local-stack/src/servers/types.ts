import type { PidRecords } from "../process/pid-records.ts";

export type Part = "postgres" | "nats" | "redis";

/** A program on this machine. For PostgreSQL `command` is the folder with `postgres` and `initdb`. */
export interface Program {
  readonly command: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** How a part is served. Plain data, so that it can be handed to another process. */
export type Source =
  | { readonly kind: "url"; readonly url: string; readonly label: string }
  | (Program & { readonly kind: "program"; readonly label: string })
  | { readonly kind: "docker"; readonly image: string; readonly label: string };

/** The configuration of a NATS server. */
export interface NatsSetup {
  /**
   * The path of a configuration file. Address and port override it, NATS_STORE_DIR tells it where to store data. Files
   * that it names must lie beside it.
   */
  readonly configuration: string;
  /** The other variables that the file refers to. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What a provider finds for a part: a source, or why it has none. */
export type Look = { readonly source: Source } | { readonly reason: string };

export interface LookOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** For downloads. */
  readonly cacheFolder: string;
  readonly note: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface ServerOptions {
  /** For the server's data and password. */
  readonly folder: string;
  /** Default: a free port. */
  readonly port?: number | undefined;
  /** Whether data must survive a crash of the machine; a server without durability is faster. */
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
  /** Settles with the reason when the server has ended; never for a server behind a URL. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
  /** Ends it like a crash. */
  kill(): Promise<void>;
}

interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** How to run a server on a port that is chosen later. */
export interface ServerPlan {
  launch(port: number): Launch | Promise<Launch>;
  readonly stopSignal: NodeJS.Signals;
  url(port: number): string;
  isReady(port: number): Promise<boolean>;
  /** Kills a container; a process gets SIGKILL. */
  kill?(): Promise<unknown>;
  /** Removes a container that did not end in time. */
  cleanUp?(): Promise<unknown>;
}
