const LIMIT_MS = 60_000;
/** No stack of whoever runs the drill. */
const NO_STACK = { STACK_DIR: "/nowhere" };

/**
 * One `pnpm ops …` or `pnpm migrate …` as a process of its own, with `--json`.
 * @param tree the root of the checkout whose command it is
 * @throws Error with what it says when it fails
 */
import { REPOSITORY_ROOT, runCommand } from "@gatehouse/local-stack";
export async function runPnpm<T>(
  script: "ops" | "migrate",
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  tree: string = REPOSITORY_ROOT,
): Promise<T> {
  const { ok, stdout, reason } = await runCommand(process.execPath, [`tools/${script}.ts`, ...args, "--json"], {
    folder: tree,
    environment: { ...environment, ...NO_STACK },
    withinMs: LIMIT_MS,
  });
  if (!ok) throw new Error(`pnpm ${script} ${args.join(" ")}: ${reason}`);
  return JSON.parse(stdout) as T;
}
