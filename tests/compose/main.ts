// `pnpm test:compose`: the images and compose.yml, by a Docker engine. See --help.
import { abortBySignal } from "@gatehouse/test-kit/command";
import {
  bringDown,
  bringUp,
  buildImages,
  type ComposeProject,
  createComposeProject,
  findCompose,
  removeImages,
} from "@gatehouse/test-kit/compose";
import { Command } from "commander";
import { fileURLToPath } from "node:url";
import { FIRST_ADMIN } from "../e2e/support/api.ts";
import {
  AUTH_VARIABLES,
  GATEWAY_TESTS,
  GATEWAY_VARIABLES,
  INTERNAL_API_TOKEN,
  runElsewhere,
} from "../e2e/support/run-elsewhere.ts";

const CONFIG = fileURLToPath(new URL("vitest.config.ts", import.meta.url));
const TAG = "test";

interface Options {
  readonly keep?: boolean;
}

const note = (line: string) => console.error(`${new Date().toISOString()} ${line}`);

/** @returns whether all passed */
function runTests(project: ComposeProject, url: string, files: readonly string[]): Promise<boolean> {
  return runElsewhere(CONFIG, url, files, { COMPOSE_PROJECT: JSON.stringify(project), IMAGE_TAG: TAG });
}

async function testCompose({ keep }: Options): Promise<void> {
  const compose = await findCompose();
  if (typeof compose === "string") {
    console.log(`skipped: ${compose}. Start one, and run \`pnpm test:compose\` again.`);
    return;
  }
  // Whoever interrupts it is left with no containers.
  const signal = abortBySignal();
  await buildImages(TAG, note);
  const project = await createComposeProject(compose, TAG, {
    ...FIRST_ADMIN,
    ...GATEWAY_VARIABLES,
    ...AUTH_VARIABLES,
    INTERNAL_API_TOKEN,
  });
  try {
    signal.throwIfAborted();
    note("bringing up one of each");
    await bringUp(project, project.gatewayUrl, signal);
    const passed = await runTests(project, project.gatewayUrl, [...GATEWAY_TESTS, "tests/compose/containers.test.ts"]);
    signal.throwIfAborted();
    note("bringing up the profile scale");
    await bringUp(project, project.proxyUrl, signal, "scale");
    const scaled = await runTests(project, project.proxyUrl, ["tests/compose/scale.test.ts"]);
    process.exitCode = passed && scaled ? 0 : 1;
  } catch (error) {
    note(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  } finally {
    if (keep) note(`kept: ${project.compose.join(" ")} --profile scale ps`);
    else {
      note("removing everything");
      await bringDown(project);
      await removeImages(TAG);
    }
  }
}

await new Command("pnpm test:compose")
  .description(
    "Builds the images, brings compose.yml up under a name of its own, has tests ask it, and removes everything; then the same with\n" +
      "the profile scale, whose containers are stopped and killed under load. Skipped where no Docker engine answers.",
  )
  .option("--keep", "leave it running, to look at it")
  .action(testCompose)
  .parseAsync();
