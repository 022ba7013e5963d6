import { DatabaseSetupError } from "@gatehouse/database";
import { OperatorError } from "@gatehouse/errors";
import { Command, Option } from "commander";
import { relative } from "node:path";
import { findDrift, migrateDown, migrateUp, migrationStatus, writeMigration } from "./commands.ts";
import { loadEnvironment, loadStackEnvironment, MIGRATED, ownerUrlOf, servicesOf } from "./environment.ts";

interface Options {
  readonly service?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
}

const NAMES = MIGRATED.map(({ name }) => name);

function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(new Option("--service <name>", "this service only").choices(NAMES))
    .option("--json", "print the result as JSON");
}

/** Prints the result as JSON or as lines. */
function print({ json }: Options, result: unknown, lines: readonly string[]): void {
  console.log(json ? JSON.stringify(result) : lines.join("\n"));
}

const up = command(
  "up",
  "apply missing migrations; with DATABASE_URL (the owner's) create databases, roles and schemas first",
).action(async (options: Options) => {
  const environment = loadEnvironment();
  const services = await migrateUp(servicesOf(environment, options.service), ownerUrlOf(environment));
  const lines = services.flatMap(({ service, applied }) =>
    applied.length === 0 ? `${service}: nothing to do` : applied.map((name) => `${service}: applied ${name}`),
  );
  print(options, { services }, lines);
});

const down = command("down", "revert the last migration of each service")
  .option("--yes", "also in production")
  .action(async (options: Options) => {
    const environment = loadEnvironment();
    const isProduction = environment["ENVIRONMENT"] === "production";
    const services = await migrateDown(servicesOf(environment, options.service), isProduction, options.yes === true);
    const lines = services.flatMap(({ service, reverted }) =>
      reverted.length === 0 ? `${service}: nothing to revert` : reverted.map((name) => `${service}: reverted ${name}`),
    );
    print(options, { services }, lines);
  });

const status = command(
  "status",
  "list the migrations and when each was applied; without URLs, of the stack that runs in STACK_DIR",
).action(async (options: Options) => {
  const services = await migrationStatus(servicesOf(await loadStackEnvironment(), options.service));
  const lines = services.flatMap(({ service, migrations }) =>
    migrations.map(({ name, appliedAt, isKnown }) => {
      const when = appliedAt === undefined ? "pending" : `applied ${appliedAt.toISOString()}`;
      return `${service}: ${name} ${when}${isKnown ? "" : ", unknown to this build"}`;
    }),
  );
  const listed = services.map(({ migrations, ...service }) => ({
    ...service,
    migrations: migrations.map(({ name, appliedAt = null, isKnown }) => ({
      name,
      applied_at: appliedAt,
      is_known: isKnown,
    })),
  }));
  print(options, { services: listed }, lines);
});

const create = command("create", "write an empty migration, named by the time")
  .argument("<name>", "what it does, as in create_accounts")
  .action(async (name: string, options: Options) => {
    const service = MIGRATED.find((one) => one.name === options.service);
    if (!service)
      throw new DatabaseSetupError(`The service is missing. Add --service ${NAMES.join(" or --service ")}.`);
    const file = relative(process.cwd(), await writeMigration(service, name));
    print(options, { service: service.name, file }, [file]);
  });

const check = command("check", "compare the tables' types with the migrated schema; exit 1 when they differ").action(
  async (options: Options) => {
    const services = await findDrift(servicesOf(await loadStackEnvironment(), options.service));
    const lines = services.flatMap(({ service, drift }) =>
      drift.length === 0
        ? `${service}: the types equal the schema`
        : drift.map(
            ({ table, column, problem }) => `${service}: ${[table, column].filter(Boolean).join(".")} ${problem}`,
          ),
    );
    print(options, { services }, lines);
    if (services.some(({ drift }) => drift.length > 0)) process.exitCode = 1;
  },
);

const program = new Command("pnpm migrate").description(
  "The schemas of the services: auth, users, and those of the examples whose URL is set.",
);
for (const one of [up, down, status, create, check]) program.addCommand(one);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof OperatorError ? error.message : error);
  process.exitCode = 1;
}
