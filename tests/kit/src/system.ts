export { createFaultyLine, type FaultyLine } from "./line/faulty-line.ts";
export type { ServiceHandle } from "./services/service-handle.ts";
export { inventPasswords, newPassword, shippedConfiguration } from "./servers/locked-nats.ts";
export { createLoadBalancer, type LoadBalancer } from "./system/load-balancer.ts";
export { connectDatabase, queryOnce, startServers } from "./system/servers.ts";
export { openStreams, readStream, type StoredMessage } from "./system/streams.ts";
export { skewedClock, startSystem, type System } from "./system/system.ts";
export { inventSecret } from "./system/system-services.ts";
