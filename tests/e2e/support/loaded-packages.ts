const MARK = "loads ";
const CODE = `
  import { registerHooks } from "node:module";
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier.startsWith("@opentelemetry/")) console.log("${MARK}" + specifier);
      return next(specifier, context);
    },
  });`;

/** The environment of a process that writes to its log which of OpenTelemetry's packages it loads. */
export const TELLS_WHAT_IT_LOADS = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(CODE)}`,
};

/** What such a process has loaded, by its log. */
export function packagesLoaded(lines: readonly string[]): Set<string> {
  return new Set(lines.filter((line) => line.startsWith(MARK)).map((line) => line.slice(MARK.length)));
}
