import type { ServiceDeclaration } from "@gatehouse/contracts";

export const service: ServiceDeclaration = {
  name: "audit-log",
  port: { variable: "AUDIT_PORT", number: 8003 },
  database: { schema: "audit", role: "gatehouse_audit", urlVariable: "AUDIT_DATABASE_URL", tables: "AuditTables" },
  consumes: ["auth", "user"],
  verifiesTokens: true,
  calls: ["auth"],
  secrets: ["INTROSPECTION_TOKEN"],
};
