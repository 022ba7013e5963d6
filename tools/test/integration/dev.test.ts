import { renameSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  living,
  processesOf,
  runDev,
  type StackVariables,
  stackVariables,
  type StartCommand,
} from "../start-command.ts";

const CONFIG = fileURLToPath(new URL("../../../services/gateway/src/config.ts", import.meta.url));

/** Saves the file like an editor: writes a copy and renames it to the file. */
function saveByRename(): void {
  const draft = `${CONFIG}.tmp`;
  copyFileSync(CONFIG, draft);
  renameSync(draft, CONFIG);
}

describe("pnpm dev", { timeout: 60_000 }, () => {
  let variables: StackVariables;
  let dev: StartCommand;

  beforeAll(async () => {
    variables = await stackVariables(mkdtempSync(join(tmpdir(), "gatehouse-dev-")));
    dev = runDev(variables);
  }, 60_000);
  afterAll(async () => {
    dev.kill("SIGKILL");
    await dev.ended();
    rmSync(variables.STACK_DIR, { recursive: true, force: true });
  });

  it("restarts a service after each of two saves by rename, and that service only", async () => {
    const url = await dev.ready();
    for (const times of [1, 2]) {
      saveByRename();
      await dev.says("restarted gateway", times);
      expect((await fetch(`${url}/health`)).status).toBe(200);
    }
    const restarts = dev.lines.filter((line) => line.startsWith("restarting "));
    expect(restarts).toEqual(Array(2).fill("restarting gateway: a file changed"));
  });

  it("leaves no process after Ctrl-C, also during a restart", async () => {
    const processes = processesOf(variables);
    saveByRename();
    await dev.says("restarting gateway", 3);
    dev.kill("SIGINT");
    expect(await dev.ended()).toBe(0);
    expect(living(processes)).toEqual([]);
    expect(processesOf(variables)).toEqual([]);
  });
});
