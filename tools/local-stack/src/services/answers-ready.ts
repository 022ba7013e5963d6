/** Longer than a busy machine lets a process wait, shorter than anybody would for one that hangs. */
const ANSWER_LIMIT_MS = 5_000;

/** Whether the service at `url` says that it is ready. Never rejects: no answer, or half of one, is a no. */
export async function answersReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
