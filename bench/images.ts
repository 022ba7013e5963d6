// pnpm bench:images: how large the images are, and how long a container takes from its start to ready. See --help.
import { abortBySignal, parseCount } from "@gatehouse/test-kit/command";
import {
  bringDown,
  bringUp,
  buildImages,
  type ComposeProject,
  containerOf,
  createComposeProject,
  docker,
  findCompose,
  imageOf,
  inspect,
  removeImages,
} from "@gatehouse/test-kit/compose";
import { Option } from "commander";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { progress } from "./support/report.ts";

interface Options {
  readonly starts: number;
}

const SERVICES = ["gateway", "auth", "user"] as const;
type Service = (typeof SERVICES)[number];

const TAG = "bench";
const IMAGE_MEGABYTES = 250;
const READY_MS = 3_000;
const MEGABYTE = 1_000_000;

/** Run in the container: waits until the service is ready, and says when that was. */
const WAIT_UNTIL_READY = `
  const port = process.env.GATEWAY_PORT ?? process.env.AUTH_PORT ?? process.env.USER_PORT;
  const ask = () => http.get({ host: "127.0.0.1", port, path: "/health/ready" }, (answer) => {
    answer.resume();
    if (answer.statusCode !== 200) return again();
    console.log(Date.now());
    process.exit(0);
  }).on("error", again);
  const again = () => setTimeout(ask, 10);
  ask();
`;

/** Milliseconds from the start of the container, as the engine has it, to the first answer that it is ready. */
async function timeStart(container: string): Promise<number> {
  await docker(["stop", container]);
  await docker(["start", container]);
  const ready = Number(await docker(["exec", container, "node", "--eval", WAIT_UNTIL_READY]));
  return ready - Date.parse(await inspect(container, "{{.State.StartedAt}}"));
}

async function timeStarts(
  project: ComposeProject,
  starts: number,
  signal: AbortSignal,
): Promise<Record<Service, number[]>> {
  const times: Record<Service, number[]> = { gateway: [], auth: [], user: [] };
  for (let start = 1; start <= starts; start += 1) {
    for (const service of SERVICES) {
      signal.throwIfAborted();
      times[service].push(await timeStart(await containerOf(project, service)));
    }
    progress("starts", start, starts);
  }
  return times;
}

async function bench({ starts }: Options): Promise<BenchResult> {
  const compose = await findCompose();
  if (typeof compose === "string") throw new Error(`${compose}: this takes an engine and Compose`);
  // Whoever interrupts it is left with no containers.
  const signal = abortBySignal();
  await buildImages(TAG, (line) => console.error(line));
  const project = await createComposeProject(compose, TAG);
  try {
    signal.throwIfAborted();
    await bringUp(project, project.gatewayUrl, signal);
    const readyAfter = await timeStarts(project, starts, signal);
    const megabytes: Record<string, number> = {};
    for (const target of [...SERVICES, "tools"] as const)
      megabytes[target] = Number(await inspect(imageOf(target, TAG), "{{.Size}}")) / MEGABYTE;
    const slowest = Math.max(...Object.values(readyAfter).flat());
    return {
      passed: Math.max(...Object.values(megabytes)) <= IMAGE_MEGABYTES && slowest <= READY_MS,
      figures: { megabytes, readyAfter },
      lines: [
        ...Object.entries(megabytes).map(([target, size]) => `${target.padEnd(8)} ${size.toFixed(0)} MB`),
        `(at most ${IMAGE_MEGABYTES} MB, unpacked)`,
        ...SERVICES.map(
          (service) =>
            `${service.padEnd(8)} ready after ${readyAfter[service].map((time) => (time / 1000).toFixed(2)).join(", ")} s`,
        ),
        `(at most ${READY_MS / 1000} s)`,
      ],
    };
  } finally {
    await bringDown(project);
    await removeImages(TAG);
  }
}

await benchCommand(
  "bench:images",
  "Builds the images, and measures how large they are and how long a container of each service takes from its start to ready.",
  bench,
)
  .addOption(new Option("--starts <count>", "how often to start each").argParser(parseCount).default(3))
  .parseAsync();
