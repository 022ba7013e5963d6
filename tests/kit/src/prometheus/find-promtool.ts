import { type LookOptions, type FoundProgram, obtainDebianProgram, runCommand } from "@gatehouse/local-stack";

/** Returns promtool from PATH, else from Debian's package, unpacked into the cache (19 MB to download, 95 MB unpacked). */
export async function findPromtool(options: LookOptions): Promise<FoundProgram> {
  const installed = await runCommand("promtool", ["--version"], options);
  if (installed.ok) return { command: "promtool", environment: {}, label: "promtool in PATH" };
  const program = { packages: ["prometheus"], program: "usr/bin/promtool" } as const;
  const found = await obtainDebianProgram("prometheus", program, options);
  if (!("reason" in found)) return found;
  const ways = "Install Prometheus with promtool in PATH, or let apt-get reach Debian's packages.";
  return { reason: `PATH has no promtool, and Debian has none: ${found.reason}. ${ways}` };
}
