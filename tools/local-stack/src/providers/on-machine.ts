import { access, constants, readdir } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { runCommand } from "../process/run-command.ts";
import type { Look, Part } from "../servers/types.ts";

interface ServerBinary {
  readonly file: string;
  /** The lowest version that works, and what older ones lack. */
  readonly atLeast: readonly [major: number, minor: number];
  readonly because: string;
}

const BINARIES: Record<Part, ServerBinary> = {
  postgres: { file: "postgres", atLeast: [17, 0], because: "the builtin locale provider" },
  nats: { file: "nats-server", atLeast: [2, 9], because: "the client library's JetStream" },
  redis: { file: "redis-server", atLeast: [6, 0], because: "the scripts of the rate limits" },
};

/** Looks for a server binary in PATH and where distributions put servers. */
export async function lookOnMachine(part: Part, environment: NodeJS.ProcessEnv): Promise<Look> {
  const { file, atLeast, because } = BINARIES[part];
  const reasons: string[] = [];
  for (const folder of await serverFolders(part, environment)) {
    const path = join(folder, file);
    if (!(await isExecutable(path))) continue;
    const version = await versionOf(path);
    if (version === undefined) reasons.push(`${path} does not print its version`);
    else if (version[0] < atLeast[0] || (version[0] === atLeast[0] && version[1] < atLeast[1]))
      reasons.push(`${path} is version ${version.join(".")}, ${atLeast.join(".")} is needed for ${because}`);
    else if (part === "postgres" && !(await isExecutable(join(dirname(path), "initdb"))))
      reasons.push(`${path} has no initdb beside it`);
    else {
      const command = part === "postgres" ? folder : path;
      return { source: { kind: "program", command, environment: {}, label: `${path} (${version.join(".")})` } };
    }
  }
  return { reason: reasons.length > 0 ? reasons.join("; ") : `no ${file} on the machine` };
}

async function serverFolders(part: Part, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  folders.push("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/opt/homebrew/bin");
  if (part === "postgres") {
    const versions = await readdir("/usr/lib/postgresql").catch(() => []);
    const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a));
    folders.push(...newestFirst.map((version) => `/usr/lib/postgresql/${version}/bin`));
  }
  return [...new Set(folders)];
}

async function versionOf(path: string): Promise<[number, number] | undefined> {
  const { ok, stdout } = await runCommand(path, ["--version"], { withinMs: 5_000 });
  const match = /(\d+)\.(\d+)/.exec(stdout);
  return ok && match !== null ? [Number(match[1]), Number(match[2])] : undefined;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
