import { until } from "@gatehouse/test-kit/api";
import { startTraffic } from "./traffic.ts";

/** Users at once, each with one request. */
export const PEOPLE = 6;

const WARM_UP = 60;
const ANSWERED_WITHIN_MS = 60_000;

/** Resolves when this number of further requests had the expected status. */
type More = (requests: number) => Promise<void>;

/** Does `work` under load that starts before it and ends after it. @returns a line for each failed request */
export async function underLoad(
  what: string,
  url: string,
  work: (more: More) => Promise<unknown>,
): Promise<readonly string[]> {
  const traffic = startTraffic(PEOPLE, () => url);
  const more: More = (requests) => {
    const wanted = traffic.answered() + requests;
    return until(() => Promise.resolve(traffic.answered() >= wanted), ANSWERED_WITHIN_MS);
  };
  try {
    await more(WARM_UP);
    await work(more);
    await more(WARM_UP);
  } finally {
    await traffic.stop();
    for (const failure of traffic.failures) console.log(failure);
    console.log(`${what}: ${traffic.answered()} answered, ${traffic.failures.length} failed`);
  }
  return traffic.failures;
}
