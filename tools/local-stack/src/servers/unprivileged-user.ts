import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** PostgreSQL refuses to run as root, so root runs it as `nobody`, who exists everywhere. */
const NOBODY = 65_534;

/** How to run a program as somebody who is not root. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
  /** Put in front of the command and its arguments. */
  readonly prefix: readonly string[];
}

/** How PostgreSQL is run by this user; `paths` are what it must reach. Nothing special unless we are root. */
export async function unprivilegedUser(paths: readonly string[]): Promise<RunAs> {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const reachable = await Promise.all(paths.map(isReachable));
  if (reachable.every(Boolean)) return { uid: NOBODY, gid: NOBODY, prefix: [] };
  // A clone below /root: nobody may not enter the folders above it. This lets the server through them, and nothing else through.
  const setpriv = "/usr/bin/setpriv";
  await access(setpriv).catch(() => {
    throw new Error(
      `PostgreSQL cannot run as root, and other users cannot reach ${paths.join(" or ")}: move the project to a folder that they can enter`,
    );
  });
  const who = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
  // access(2), by which initdb looks for its neighbours, drops the capability of everybody but root without the securebit.
  const what = ["--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
  return { prefix: [setpriv, ...who, ...what] };
}

/** Gives a path to whom `runAs` runs programs as. */
export function ownerId(): number | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

async function isReachable(path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid } = await stat(folder);
    if (uid !== NOBODY && (mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
