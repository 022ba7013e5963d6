import type { Releasers } from "@gatehouse/http/process";
import { createServiceKit } from "@gatehouse/service-kit";
import type { AuditConfig } from "./config.ts";
import { type AuditTables, MIGRATIONS_FOLDER } from "./db/database.ts";
import { startConsumers } from "./events/consumers.ts";
import { createTrail } from "./services/trail.service.ts";

/** Wires the audit log. It works while NATS and auth are down. Adds everything that must be released to `releasers`. */
export async function createDependencies(config: AuditConfig, releasers: Releasers) {
  const kit = await createServiceKit({ name: "gatehouse-audit-log", config, releasers });
  const { logger } = kit;
  const { db } = await kit.openDatabase<AuditTables>({
    ...config.database,
    schema: "audit",
    migrations: MIGRATIONS_FOLDER,
  });
  const bus = kit.openBus(config.natsUrl);
  const verifier = kit.openVerifier({ bus, ...config.verifier });
  const trail = createTrail({ db });
  for (const consumer of startConsumers({ bus, trail, logger })) kit.release("consumer", () => consumer.close());

  return { logger, trail, verify: (token: string) => verifier.verify(token), readiness: kit.readiness };
}
