export {
  createEmptyDatabase,
  createTestDatabase,
  type EmptyDatabase,
  type TestDatabase,
} from "./fixtures/test-database.ts";
export { createLockedBus, type BusUser, type LockedBus } from "./fixtures/locked-bus.ts";
export { createTestBus, createTestRedis, type TestServer } from "./fixtures/test-server.ts";
export {
  type RunningServices,
  type ServiceHandle,
  type ServicesOptions,
  startServices,
} from "./services/start-services.ts";
export { freePort } from "./process/free-port.ts";
export { createFaultyLine, type FaultyLine } from "./line/faulty-line.ts";
