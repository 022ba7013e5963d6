// `pnpm test:compose`: the images and compose.yml, with a Docker engine. See --help.
import { FIRST_ADMIN } from "@gatehouse/test-kit/api";
import {
  bringDown,
  bringUp,
  buildImages,
  createComposeProject,
  findCompose,
  removeImages,
} from "@gatehouse/test-kit/compose";
import { abortBySignal, note } from "@gatehouse/test-kit/run";
import { Command } from "commander";
import {
  AUTH_VARIABLES,
  GATEWAY_TESTS,
  GATEWAY_VARIABLES,
  INTERNAL_API_TOKEN,
  runElsewhere,
} from "../e2e/support/run-elsewhere.ts";

const TAG = "test";
const VARIABLES = { ...FIRST_ADMIN, ...GATEWAY_VARIABLES, ...AUTH_VARIABLES, INTERNAL_API_TOKEN };

async function testCompose({ keep }: { readonly keep?: boolean }): Promise<void> {
  const compose = await findCompose();
  if (typeof compose === "string") return console.log(`skipped: ${compose}. Start one and run this again.`);
  // An interrupted run removes its containers, too.
  const signal = abortBySignal();
  await buildImages(TAG, note);
  const project = await createComposeProject(compose, TAG, VARIABLES);
  const run = async (url: string, files: readonly string[], ...profiles: string[]) => {
    signal.throwIfAborted();
    note(`starting ${["one of each", ...profiles].at(-1)}`);
    await bringUp(project, url, signal, ...profiles);
    return runElsewhere(url, files, { COMPOSE_PROJECT: JSON.stringify(project), IMAGE_TAG: TAG });
  };
  try {
    const passed = await run(project.gatewayUrl, [...GATEWAY_TESTS, "tests/compose/containers.test.ts"]);
    const scaled = await run(project.proxyUrl, ["tests/compose/scale.test.ts"], "scale");
    process.exitCode = passed && scaled ? 0 : 1;
  } catch (error) {
    note(String(error));
    process.exitCode = 1;
  } finally {
    if (keep) note(`kept: ${project.compose.join(" ")} --profile scale ps`);
    else {
      note("removing containers, data and images");
      await bringDown(project);
      await removeImages(TAG);
    }
  }
}

await new Command("pnpm test:compose")
  .description(
    "Builds the images, starts compose.yml under a name of its own, tests it, and removes everything. Then does the same with the profile\n" +
      "scale, and stops and kills its containers under load. Skipped without a Docker engine.",
  )
  .option("--keep", "leave everything running")
  .action(testCompose)
  .parseAsync();
