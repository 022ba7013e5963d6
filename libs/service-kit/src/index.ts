export { type Job, type JobDeps, startJob } from "./job.ts";
export { createServiceKit, type ServiceKit, type ServiceKitConfig } from "./service-kit.ts";
