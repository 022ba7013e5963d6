// pnpm bench:images: the size of the images, and how soon a container is ready. See --help.
import {
  bringDown,
  bringUp,
  buildImages,
  containerOf,
  createComposeProject,
  docker,
  findCompose,
  imageOf,
  inspect,
  removeImages,
} from "@gatehouse/test-kit/compose";
import { abortBySignal, countOption, note, type Report, reportCommand, showCount } from "@gatehouse/test-kit/run";

const SERVICES = ["gateway", "auth", "user"] as const;
const TAG = "bench";
const IMAGE_MEGABYTES = 250;
const READY_MS = 3_000;

/** Runs in the container: waits until the service is ready and prints the time. */
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

async function bench({ starts }: { readonly starts: number }): Promise<Report> {
  const compose = await findCompose();
  if (typeof compose === "string") throw new Error(`${compose}. This bench needs a Docker engine and Compose.`);
  const signal = abortBySignal();
  await using releases = new AsyncDisposableStack();
  await buildImages(TAG, note);
  releases.defer(() => removeImages(TAG));
  const project = await createComposeProject(compose, TAG);
  releases.defer(() => bringDown(project));
  signal.throwIfAborted();
  await bringUp(project, project.gatewayUrl, signal);
  const readyAfter: Record<(typeof SERVICES)[number], number[]> = { gateway: [], auth: [], user: [] };
  for (let start = 1; start <= starts; start += 1) {
    for (const service of SERVICES) {
      signal.throwIfAborted();
      readyAfter[service].push(await timeStart(await containerOf(project, service)));
    }
    showCount("starts", start, starts);
  }
  const megabytes: Record<string, number> = {};
  for (const target of [...SERVICES, "tools"] as const)
    megabytes[target] = Number(await inspect(imageOf(target, TAG), "{{.Size}}")) / 1e6;
  const slowest = Math.max(...Object.values(readyAfter).flat());
  return {
    passed: Math.max(...Object.values(megabytes)) <= IMAGE_MEGABYTES && slowest <= READY_MS,
    figures: { megabytes, readyAfter },
    lines: [
      ...Object.entries(megabytes).map(([target, size]) => `${target.padEnd(8)} ${size.toFixed(0)} MB`),
      ...SERVICES.map(
        (name) => `${name.padEnd(8)} ready after ${readyAfter[name].map((ms) => (ms / 1e3).toFixed(2)).join(", ")} s`,
      ),
      `(at most ${IMAGE_MEGABYTES} MB unpacked, ready within ${READY_MS / 1000} s)`,
    ],
  };
}

/** Milliseconds from the engine's start of the container to its first ready answer. */
async function timeStart(container: string): Promise<number> {
  await docker(["stop", container]);
  await docker(["start", container]);
  const ready = Number(await docker(["exec", container, "node", "--eval", WAIT_UNTIL_READY]));
  return ready - Date.parse(await inspect(container, "{{.State.StartedAt}}"));
}

await reportCommand(
  "pnpm bench:images",
  "Builds the images, and measures their size and the time from a container's start to ready.",
  bench,
)
  .addOption(countOption("starts", "starts of each", 3))
  .parseAsync();
