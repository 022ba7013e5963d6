/** Longer than a pause on a busy machine. */
const ANSWER_LIMIT_MS = 5_000;

/** Returns whether the service at `url` is ready; false without a complete response. */
export async function answersReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
