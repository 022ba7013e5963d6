export { type ManagedProcess, ProcessEndedError } from "./process/managed-process.ts";
