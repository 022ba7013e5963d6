import { join } from "node:path";
import { type FoundProgram, obtainDebianProgram } from "../providers/debian-program.ts";
import { runCommand } from "../process/run-command.ts";
import { REPOSITORY_ROOT } from "../repository-root.ts";

/**
 * Prometheus' own tool for rules: the one in PATH, else that of Debian's package, which is unpacked into the project's cache (19 MB to
 * download, 95 MB there).
 */
export async function findPromtool(
  environment: NodeJS.ProcessEnv,
  note: (line: string) => void,
): Promise<FoundProgram> {
  const installed = await runCommand("promtool", ["--version"], { environment });
  if (installed.ok) return { command: "promtool", environment: {}, label: "promtool in PATH" };
  const found = await obtainDebianProgram(
    "prometheus",
    { packages: ["prometheus"], program: "usr/bin/promtool" },
    { environment, cacheFolder: join(REPOSITORY_ROOT, ".cache"), note },
  );
  if (!("reason" in found)) return found;
  const ways = "Install Prometheus, whose promtool is then in PATH, or let apt-get reach Debian's packages.";
  return { reason: `There is no promtool in PATH, nor from Debian: ${found.reason}. ${ways}` };
}
