export { type LocalStack, startLocalStack } from "./local-stack.ts";
export { FolderInUseError, type FolderLock, lockFolder } from "./process/folder-lock.ts";
export { identify, isAlive, type ProcessIdentity } from "./process/identity.ts";
export { createPidRecords, type PidRecords } from "./process/pid-records.ts";
export { answers, freePort, isPortFree } from "./process/ports.ts";
export { runCommand, runOrThrow } from "./process/run-command.ts";
export { type FoundProgram, obtainDebianProgram } from "./providers/debian.ts";
export { chooseSources, testProvidersFor, testStackChoice } from "./providers/providers.ts";
export { databaseUrl, exists, REPOSITORY_ROOT } from "./repository.ts";
export { type RestartableServer, startRestartableServer, startServer } from "./servers/server.ts";
export type { LookOptions, NatsSetup, Part, ServerOptions, Source } from "./servers/types.ts";
export {
  hasDatabase,
  prepareDatabases,
  prepareService,
  SERVICES_WITH_DATABASE,
  type ServiceWithDatabase,
} from "./service-schemas.ts";
export {
  calledBy,
  type DeclaredService,
  EXAMPLES,
  type PerService,
  perService,
  serviceNamed,
  SERVICES,
  urlVariableOf,
} from "./services/declarations.ts";
export { answersReady } from "./services/answers-ready.ts";
export { hasAdmin, waitForFirstAdmin } from "./services/first-admin.ts";
export { type LaunchedService, launchService, type LaunchOptions } from "./services/launch-service.ts";
export { serviceEnvironment, type ServiceName, type StackAddresses } from "./services/service-environment.ts";
export { createRunFolder, runFolder, type RunFolder, sweepDeadRuns } from "./temporary-folders.ts";
