/** What stands in the way and what would mend it; shown without a stack. */
export class OpsError extends Error {
  override readonly name = "OpsError";
}
