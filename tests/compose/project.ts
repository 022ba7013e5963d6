function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: these tests are run by \`pnpm test:compose\``);
  return value;
}

/** The project that `pnpm test:compose` has brought up. */
import type { ComposeProject } from "@gatehouse/test-kit/compose";
export const project = JSON.parse(variable("COMPOSE_PROJECT")) as ComposeProject;
export const imageTag: string = variable("IMAGE_TAG");
/** Where it is asked: the gateway, or the proxy before three of them. */
export const url: string = variable("E2E_URL");
