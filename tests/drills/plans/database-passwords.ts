import { databaseUrl } from "@gatehouse/local-stack";
import { inventSecret } from "@gatehouse/test-kit/system";
import pg from "pg";
import { runPnpm } from "../system/command.ts";
import { roll } from "../system/roll.ts";
import type { System } from "../system/system.ts";
import type { Chapter, Drill, Step } from "./plan.ts";

const VARIABLES = { auth: "AUTH_DATABASE_URL", user: "USER_DATABASE_URL" } as const;

/**
 * The password of a service's role. A role has one, so the service changes to a second login of the same role, with a password of its
 * own, and the first one is shut out when nobody uses it any more.
 */
export function roleChapter(service: keyof typeof VARIABLES): Chapter {
  const variable = VARIABLES[service];
  const first = `gatehouse_${service}`;
  const second = { role: `${first}_b`, password: inventSecret() };
  const urlOf = ({ servers }: System) => databaseUrl(servers.postgres.url, "gatehouse", second);
  return {
    name: `${service}-database`,
    steps: [
      {
        title: `\`pnpm migrate up\` with \`${variable}=postgres://${second.role}:NEW@…\``,
        run: ({ system }) => migrate(system, { [variable]: urlOf(system) }),
      },
      {
        title: `restart ${service} with \`${variable}=postgres://${second.role}:NEW@…\``,
        run: ({ system }) => roll(system, service, { [variable]: urlOf(system) }),
      },
      asOwner(`alter role ${first} nologin password null`, async (drill) => {
        await mustBeRefused(drill.system.databaseUrls[service]);
        await assertUnused(drill, first);
      }),
    ],
  };
}

/** The password of the owner, whom no service knows. */
export function ownerChapter(): Chapter {
  const password = inventSecret();
  return {
    name: "database-owner",
    steps: [
      {
        title: "`psql \"$DATABASE_URL\" -c '\\password'`",
        async run({ system }) {
          // What \password does, but for the verifier, which psql makes itself.
          await query(system.databaseUrls.owner, `alter role current_user password '${password}'`);
          await mustBeRefused(system.databaseUrls.owner);
        },
      },
      {
        title: "`pnpm migrate up` with `DATABASE_URL=postgres://OWNER:NEW@…`",
        run({ system }) {
          const role = new URL(system.databaseUrls.owner).username;
          return migrate(system, {
            DATABASE_URL: databaseUrl(system.databaseUrls.owner, "gatehouse", { role, password }),
          });
        },
      },
    ],
  };
}

/** One statement, which the owner gives by psql. */
function asOwner(statement: string, check: (drill: Drill) => Promise<void>): Step {
  return {
    title: `\`psql "$DATABASE_URL" -c "${statement}"\``,
    async run(drill) {
      await query(drill.system.databaseUrls.owner, statement);
      await check(drill);
    },
  };
}

async function migrate({ services, databaseUrls }: System, environment: NodeJS.ProcessEnv): Promise<void> {
  const urls = [...services.auth, ...services.user].map((one) => one.environment());
  await runPnpm("migrate", ["up"], { ...Object.assign({}, ...urls), DATABASE_URL: databaseUrls.owner, ...environment });
}

async function mustBeRefused(url: string): Promise<void> {
  const refusal = await query(url, "select").then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
  if (refusal !== "28P01" && refusal !== "28000") throw new Error("the old password still opens the database");
}

/** Connections live on when their role may log in no more, so that a forgotten process would show only later. */
async function assertUnused({ system }: Drill, role: string): Promise<void> {
  const rows = await query(system.servers.postgres.url, `select from pg_stat_activity where usename = '${role}'`);
  if (rows.length > 0) throw new Error(`${rows.length} connections of ${role} are open still`);
}

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
