import type { ServiceDeclaration } from "@gatehouse/contracts";

export const service: ServiceDeclaration = {
  name: "gateway",
  port: { variable: "GATEWAY_PORT", number: 8000 },
  verifiesTokens: true,
  // And every other service with public routes.
  calls: ["auth"],
  usesRedis: true,
  isEdge: true,
  secrets: ["INTROSPECTION_TOKEN"],
  isDeployed: true,
};
