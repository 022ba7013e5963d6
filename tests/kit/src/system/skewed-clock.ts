/** The variables of a Node process whose clock is so many seconds ahead of everybody else's, or behind. */
export function skewedClock(seconds: number): NodeJS.ProcessEnv {
  return {
    CLOCK_SKEW_SECONDS: String(seconds),
    NODE_OPTIONS: `--import ${new URL("clock-skew.ts", import.meta.url).href}`,
  };
}
