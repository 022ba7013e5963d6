import { setTimeout as delay } from "node:timers/promises";
import { isAlive, type ProcessIdentity } from "./identity.ts";

/**
 * Ends a process that is not our child: `signal`, and SIGKILL when it is still there after `graceMs`.
 * Does nothing when it is gone, or when its number belongs to another process by now.
 */
export async function endProcess(identity: ProcessIdentity, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (!isAlive(identity)) return;
  kill(identity.pid, signal);
  if (await gone(identity, graceMs)) return;
  kill(identity.pid, "SIGKILL");
  await gone(identity, 5000);
}

async function gone(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended in between, which is what was wanted; not being allowed to is a real error.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Ends at once the process that leads a group, and its own children with it. */
export function killGroup(pid: number): void {
  kill(-pid, "SIGKILL");
}
