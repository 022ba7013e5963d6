/**
 * Prometheus' own tool for rules: the one in PATH, else that of Debian's package, which is unpacked into the cache (19 MB to download, 95 MB
 * there).
 */
import { type LookOptions, type FoundProgram, obtainDebianProgram, runCommand } from "@gatehouse/local-stack";
export async function findPromtool(options: LookOptions): Promise<FoundProgram> {
  const installed = await runCommand("promtool", ["--version"], options);
  if (installed.ok) return { command: "promtool", environment: {}, label: "promtool in PATH" };
  const program = { packages: ["prometheus"], program: "usr/bin/promtool" } as const;
  const found = await obtainDebianProgram("prometheus", program, options);
  if (!("reason" in found)) return found;
  const ways = "Install Prometheus, whose promtool is then in PATH, or let apt-get reach Debian's packages.";
  return { reason: `There is no promtool in PATH, nor from Debian: ${found.reason}. ${ways}` };
}
