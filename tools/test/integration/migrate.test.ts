import { createTestDatabase, type TestDatabase } from "@gatehouse/test-kit";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { announceAddresses } from "../../start/addresses.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

let database: TestDatabase;
let auditUrl: string | undefined;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

interface Outcome {
  readonly code: number;
  readonly result: unknown;
  readonly errors: string;
}

/** `pnpm migrate … --json` against a database that has every migration. */
async function migrate(...args: string[]): Promise<Outcome> {
  return runMigrate(args, {
    AUTH_DATABASE_URL: database.authUrl,
    USER_DATABASE_URL: database.userUrl,
    DATABASE_URL: database.ownerUrl,
    ...(auditUrl && { AUDIT_DATABASE_URL: auditUrl }),
  });
}

function runMigrate(args: readonly string[], variables: NodeJS.ProcessEnv): Promise<Outcome> {
  const env = { PATH: process.env["PATH"], ...variables };
  return new Promise((resolve) => {
    const command = ["tools/migrate/main.ts", ...args, "--json"];
    execFile(process.execPath, command, { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({
        code: typeof error?.code === "number" ? error.code : 0,
        result: stdout === "" ? undefined : JSON.parse(stdout),
        errors: stderr,
      }),
    );
  });
}

// The compiler takes its time where the machine is busy.
describe("pnpm migrate", { timeout: 60_000 }, () => {
  it("lists the migrations of the stack that runs in STACK_DIR", async () => {
    const dir = mkdtempSync(join(tmpdir(), "gatehouse-migrate-"));
    const databaseUrls = { auth: database.authUrl, user: database.userUrl };
    const ports = { auth: [], user: [], gateway: [] };
    const takeBack = announceAddresses(dir, { ports, databaseUrls, natsUrl: "nats://127.0.0.1:1", redisUrl: null });
    try {
      const { code, result } = await runMigrate(["status"], { STACK_DIR: dir });
      expect([code, result]).toMatchObject([0, { services: [{ service: "auth" }, { service: "user" }] }]);
    } finally {
      takeBack();
      rmSync(dir, { recursive: true });
    }
    expect(await runMigrate(["status"], { STACK_DIR: dir })).toMatchObject({
      code: 1,
      errors: expect.stringContaining("AUTH_DATABASE_URL"),
    });
  });

  it("finds no difference between types and migrated schemas", async () => {
    expect(await migrate("check")).toEqual({
      code: 0,
      result: {
        services: [
          { service: "auth", schema: "auth", drift: [] },
          { service: "user", schema: "users", drift: [] },
        ],
      },
      errors: "",
    });
  });

  it("has no pending migration after up, as status shows", async () => {
    expect(await migrate("up")).toMatchObject({
      code: 0,
      result: {
        services: [
          { service: "auth", applied: [] },
          { service: "user", applied: [] },
        ],
      },
    });
    const { result, errors } = await migrate("status");
    expect(errors).toBe("");
    const { services } = result as { services: { migrations: { applied_at: string | null; is_known: boolean }[] }[] };
    const migrations = services.flatMap((service) => service.migrations);
    expect(migrations.length).toBeGreaterThan(0);
    for (const migration of migrations)
      expect(migration).toMatchObject({ applied_at: expect.any(String), is_known: true });
  });

  it("migrates an example's schema when its URL is set", async () => {
    const url = new URL(database.ownerUrl);
    [url.username, url.password] = ["gatehouse_audit_by_command", "throw-away"];
    auditUrl = url.href;
    const applied = [expect.stringMatching(/_create_entries$/)];
    expect(await migrate("up")).toMatchObject({
      code: 0,
      result: { services: [{ service: "auth" }, { service: "user" }, { service: "audit-log", applied }] },
    });
    expect(await migrate("check", "--service", "audit-log")).toMatchObject({
      code: 0,
      result: { services: [{ service: "audit-log", schema: "audit", drift: [] }] },
    });
  });
});
