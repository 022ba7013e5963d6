import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSystem, type System } from "./support/system.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const README = readFileSync(`${ROOT}README.md`, "utf8");
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { scripts: Record<string, string> };

const blocks = (language: string) =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, block = ""]) => block);

/** Runs a text in bash, as a reader who pastes it does. */
async function bash(script: string): Promise<{ code: number; output: string }> {
  const child = spawn("bash", ["-c", script], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "close") as Promise<[number]>]);
  return { code, output };
}

let system: System;
beforeAll(async () => {
  system = await openSystem();
});
afterAll(() => system.stop());

describe("the README", () => {
  it("shows commands that register a user and get old tokens rejected", async () => {
    const [walk = "", ...more] = blocks("bash");
    expect(more).toEqual([]);
    const address = "BASE=http://127.0.0.1:8000";
    expect(walk).toContain(address);

    const { code, output } = await bash(walk.replace(address, `BASE=${system.url}`));
    const lines = output.trim().split("\n");
    const [registered, , me, , , ...refusals] = lines;
    expect([code, lines[1], lines[3], lines[4]]).toEqual([0, "201", "200", "204"]);
    const user = JSON.parse(registered ?? "") as { email: string };
    expect(user).toMatchObject({ full_name: "Ada", email: expect.stringMatching(/^ada-\d+@example\.com$/) });
    expect(JSON.parse(me ?? "")).toEqual(user);
    const answers = refusals.map((line) => (line === "401" ? line : (JSON.parse(line) as { type: string }).type));
    expect(answers).toEqual(["TokenRevokedError", "401", "TokenRevokedError", "401", "TokenRevokedError", "401"]);
  });

  it("shows only commands that tests run", () => {
    expect(blocks("sh")).toEqual(["npx -y pnpm@12 start\n", "npx -y pnpm@12 test\n"]);
    expect(scripts).toMatchObject({
      start: "exec node tools/start/main.ts",
      test: expect.stringContaining("vitest run"),
    });
  });

  it("names commands with a --help", async () => {
    const named = [...README.matchAll(/`pnpm (\w+) --help`/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) {
      const command = scripts[name]?.replace(/^(?:exec )?node /, `"${process.execPath}" `);
      const { code, output } = await bash(`${command} --help`);
      expect([name, code, output]).toEqual([name, 0, expect.stringContaining(`Usage: pnpm ${name}`)]);
    }
  });
});
