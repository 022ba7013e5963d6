import type { Part, Source } from "../servers/running-server.ts";
import { lookForDebianPackage } from "./debian-package.ts";
import { lookForDockerEngine } from "./docker-engine.ts";
import { lookEmbedded } from "./embedded.ts";
import { lookInEnvironment } from "./from-environment.ts";
import { lookOnMachine } from "./on-machine.ts";
import { chooseSource, type Provider } from "./provider.ts";

export interface LookOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** The project's cache, for what is downloaded. */
  readonly cacheFolder: string;
  readonly note: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The providers of a part for `pnpm start`, in the order in which they are asked. */
export function providersFor(part: Part, options: LookOptions): Provider[] {
  const { environment } = options;
  return [
    { name: "environment", look: async () => lookInEnvironment(part, environment) },
    { name: "this machine", look: () => lookOnMachine(part, environment) },
    { name: "embedded", look: () => lookEmbedded(part) },
    { name: "Docker", look: () => lookForDockerEngine(part, "docker", options) },
    { name: "Debian", look: () => lookForDebianPackage(part, options) },
  ];
}

export type TestStackChoice = "auto" | "testcontainers" | "local";

/** The providers of a part for tests: never a server that somebody else uses, so neither URLs nor the `start` stack. */
export function testProvidersFor(part: Part, choice: TestStackChoice, options: LookOptions): Provider[] {
  const { environment } = options;
  const container = { name: "Testcontainers", look: () => lookForDockerEngine(part, "testcontainers", options) };
  const local = [
    { name: "this machine", look: () => lookOnMachine(part, environment) },
    { name: "embedded", look: () => lookEmbedded(part) },
    { name: "Debian", look: () => lookForDebianPackage(part, options) },
  ];
  if (choice === "testcontainers") return [container];
  return choice === "local" ? local : [container, ...local];
}

/** TEST_STACK of the environment. @throws Error when it is none of the three */
export function testStackChoice(environment: NodeJS.ProcessEnv): TestStackChoice {
  const value = environment["TEST_STACK"] || "auto";
  if (value === "auto" || value === "testcontainers" || value === "local") return value;
  throw new Error(`TEST_STACK must be auto, testcontainers or local, not "${value}"`);
}

/**
 * The sources of several parts, looked for at the same time.
 * @throws NoProviderError for the first part that nothing serves
 */
export async function chooseSources<P extends Part>(
  parts: readonly P[],
  providers: (part: P) => Provider[],
  note: (line: string) => void,
): Promise<Record<P, Source>> {
  const look = async (part: P) => [part, await chooseSource(part, providers(part), note)] as const;
  return Object.fromEntries(await Promise.all(parts.map(look))) as Record<P, Source>;
}
