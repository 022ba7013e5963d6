export {
  createEmptyDatabase,
  createTestDatabase,
  type EmptyDatabase,
  type TestDatabase,
} from "./fixtures/test-database.ts";
export { createTestBus, createTestRedis, type TestServer } from "./fixtures/test-server.ts";
