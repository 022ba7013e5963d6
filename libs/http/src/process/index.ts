export { createReleasers, type Releasers } from "./releasers.ts";
export {
  GRACE_SECONDS,
  type ProcessConfig,
  type ProcessOptions,
  runProcess,
  type StartedProcess,
  STOP_SECONDS,
} from "./run-process.ts";
