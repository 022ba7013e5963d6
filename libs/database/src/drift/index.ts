export { checkDrift, type DriftOptions } from "./check-drift.ts";
export type { Drift } from "./drift-program.ts";
