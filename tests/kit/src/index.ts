export {
  createEmptyDatabase,
  createTestDatabase,
  type EmptyDatabase,
  type TestDatabase,
} from "./fixtures/test-database.ts";
export {
  createLockedBus,
  createLockedCluster,
  type LockedBus,
  type LockedCluster,
  type ServerCertificate,
} from "./fixtures/locked-bus.ts";
export type { BusUser } from "./servers/locked-nats.ts";
export { createTestBus, createTestRedis } from "./fixtures/test-server.ts";
export { type RunningServices, type ServicesOptions, startServices } from "./services/start-services.ts";
export type { ServiceHandle } from "./services/service-handle.ts";
export { createLoadBalancer, type LoadBalancer } from "./system/load-balancer.ts";
export { createFaultyLine, type FaultyLine } from "./line/faulty-line.ts";
export { assertNoSecrets, rememberSecret } from "./secrets.ts";
export { runSql } from "./template.ts";
