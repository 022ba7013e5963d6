import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exists } from "../exists.ts";

/**
 * Makes a folder of the cache, whole or not at all: it is filled beside its place and moved there at the end.
 * @param program a path below it, which is there when the folder is
 * @param fill puts everything into `tree`; `draft` is for what it needs on the way. @returns why it cannot, if so
 * @returns what `fill` returned
 */
export async function makeCachedTree(
  home: string,
  program: string,
  fill: (tree: string, draft: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  await mkdir(dirname(home), { recursive: true });
  const draft = await mkdtemp(join(dirname(home), ".new-"));
  try {
    const tree = join(draft, "tree");
    await mkdir(tree);
    const reason = await fill(tree, draft);
    if (reason !== undefined) return reason;
    // Another run may have been faster, and its tree is as good as ours.
    await rename(tree, home).catch(async (error: unknown) => {
      if (!(await exists(join(home, program)))) throw error;
    });
    return undefined;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
