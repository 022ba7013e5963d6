export { databaseUrl } from "./database-urls.ts";
export { createFaultyLine, type FaultyLine } from "./line/faulty-line.ts";
export { type LocalStack, startLocalStack } from "./local-stack.ts";
export { FolderInUseError, type FolderLock, lockFolder } from "./process/folder-lock.ts";
export { freePort, isPortFree } from "./process/free-port.ts";
export { identify, isAlive, type ProcessIdentity } from "./process/identity.ts";
export { runCommand } from "./process/run-command.ts";
export { createPidRecords, type PidRecords } from "./process/pid-records.ts";
export { chooseSources, testProvidersFor } from "./providers/providers.ts";
export { REPOSITORY_ROOT } from "./repository-root.ts";
export { type RestartableServer, startRestartableServer } from "./servers/restartable-server.ts";
export { prepareDatabases } from "./service-schemas.ts";
export { hasAdmin, waitForFirstAdmin } from "./services/first-admin.ts";
export { launchService, type LaunchedService } from "./services/launch-service.ts";
export { createServiceHandle, type ServiceHandle } from "./services/service-handle.ts";
export { serviceEnvironment, type ServiceName, type StackAddresses } from "./services/service-environment.ts";
export { type BusUser, inventPasswords, newPassword, shippedConfiguration } from "./servers/locked-nats.ts";
export { createLoadBalancer, type LoadBalancer } from "./system/load-balancer.ts";
export { skewedClock } from "./system/skewed-clock.ts";
export { startRunServers } from "./system/run-servers.ts";
export { createSystemDatabases, type SystemDatabases } from "./system/system-databases.ts";
export {
  createSystemServices,
  findServicePorts,
  inventSecret,
  inventSecrets,
  type SystemSecrets,
} from "./system/system-services.ts";
export { createRandom, type Random } from "./random.ts";
export { createRunFolder, type RunFolder, sweepDeadRuns } from "./temporary-folders.ts";
