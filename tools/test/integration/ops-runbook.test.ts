import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEventsBench, type EventsBench, registration } from "../events-bench.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const RUNBOOK = readFileSync(`${ROOT}docs/operations/runbooks/dead-letters.md`, "utf8");
const [LOOK = "", CAUSE = "", REPLAY = "", ...MORE] = [...RUNBOOK.matchAll(/^```sh\n(.*?)^```$/gms)].map(
  ([, block = ""]) => block,
);

/** Replaces pnpm, which would start the same program a second later. */
const PNPM = `pnpm() { test "$1" = ops && shift && "${process.execPath}" tools/ops/main.ts "$@"; }`;

let bench: EventsBench;
beforeAll(async () => {
  bench = await createEventsBench();
});
afterAll(() => bench.close());

/** Runs a block of the page in a shell. */
async function follow(block: string, variables: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const env = { PATH: process.env["PATH"], NATS_URL: bench.url, ...variables };
  return await new Promise((resolve, reject) => {
    execFile("bash", ["-euc", `${PNPM}\n${block}`], { cwd: ROOT, env }, (error, stdout, stderr) =>
      error === null ? resolve(stdout.trimEnd().split("\n")) : reject(new Error(`${error.message}\n${stderr}`)),
    );
  });
}

it("the runbook leads from the summary to an empty list", { timeout: 60_000 }, async () => {
  expect(MORE).toEqual([]);
  const consumer = bench.mailer("user");
  const [first, second] = [registration(), registration()];
  await bench.publish(first, second);
  const [letter] = await bench.lettersOnce(2);

  const seen = await follow(LOOK);
  expect(seen.slice(0, 2)).toEqual([expect.stringMatching(/^2 {2}user {2}TypeError/), "2 in all"]);
  expect(seen.slice(2)).toEqual([expect.stringContaining(first.id), expect.stringContaining(second.id)]);
  expect(await follow(CAUSE, { USER_ID: second.subject })).toEqual([
    expect.stringContaining(second.subject),
    expect.stringContaining("of user: TypeError"),
  ]);

  consumer.isMended = true;
  expect(await follow(REPLAY, { LETTER: String(letter!.number) })).toEqual([
    "would replay 2 of user",
    "replayed 1",
    expect.stringContaining(second.id),
    "replayed 1",
  ]);
  await expect.poll(() => consumer.handled).toEqual([first.id, second.id]);
  expect(await bench.letters()).toEqual([]);
});
