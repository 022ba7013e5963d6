import type { Logger } from "@gatehouse/observability";
import type { App } from "./app.ts";
import type { Releasers } from "./releasers.ts";

export interface StartedProcess {
  readonly app: App;
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
  /** Called when the end begins, beside the app's own. */
  setDraining?(): void;
}

export interface ProcessOptions {
  readonly name: string;
  start(releasers: Releasers): Promise<StartedProcess>;
}

export async function runProcess(_options: ProcessOptions): Promise<void> {
  throw new Error("not yet");
}
