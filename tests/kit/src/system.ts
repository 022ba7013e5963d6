export { createFaultyLine, type FaultyLine } from "./line/faulty-line.ts";
export { createServiceHandle, type ServiceHandle } from "./services/service-handle.ts";
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
