/** Sends `perSecond` requests a second, whether the earlier ones are answered or not. */
export function startOpenLoop(perSecond: number, request: (index: number) => Promise<unknown>) {
  const open = new Set<Promise<unknown>>();
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1_000;
  let sent = 0;
  const timer = setInterval(() => {
    // Timers are late on a busy machine, so this sends all that are due.
    for (const due = seconds() * perSecond; sent < due; sent += 1) {
      const one: Promise<unknown> = request(sent).finally(() => open.delete(one));
      open.add(one);
    }
  }, 1_000 / perSecond);
  return {
    /** Requests a second that were sent so far. */
    rate: () => sent / seconds(),
    /** Sends no more; resolves when every request is answered. */
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}

/** Does `work` for each index below `times`, `atOnce` at a time. */
export async function inParallel(
  times: number,
  atOnce: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < times) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, times) }, worker));
}
