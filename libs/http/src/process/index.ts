export { createReleasers, type Releasers } from "./releasers.ts";
export { type ProcessConfig, type ProcessOptions, runProcess, type StartedProcess } from "./run-process.ts";
