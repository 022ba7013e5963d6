import { createTestDatabase, type TestDatabase } from "@gatehouse/test-kit";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

let database: TestDatabase;
let auditUrl: string | undefined;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** `pnpm migrate … --json` against a database that has every migration. */
async function migrate(...args: string[]): Promise<{ code: number; result: unknown; errors: string }> {
  const env = {
    PATH: process.env["PATH"],
    AUTH_DATABASE_URL: database.authUrl,
    USER_DATABASE_URL: database.userUrl,
    DATABASE_URL: database.ownerUrl,
    ...(auditUrl && { AUDIT_DATABASE_URL: auditUrl }),
  };
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
  it("finds that the tables' types of both services equal the migrated schemas", async () => {
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

  it("has nothing left to do, and says so by status", async () => {
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

  it("serves an example's schema, too, when its URL is there", async () => {
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
