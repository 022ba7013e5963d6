import { login, register, send, type Session } from "./client.ts";

export interface BackgroundLoad {
  /** Requests a second that were really sent so far. */
  rate(): number;
  /** Answers so far, by status. */
  readonly answers: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

const USERS = 20;
/** One request in so many is a login, which hashes and writes an event; the others look at their own user. */
const A_LOGIN_IN = 20;

/** Requests at a steady rate, gateway after gateway, whether the ones before have been answered or not. */
export async function startBackgroundLoad(urls: readonly string[], perSecond: number): Promise<BackgroundLoad> {
  const users: Session[] = [];
  for (let count = 0; count < USERS; count += 1) users.push(await register(urls[0] as string));
  const answers = new Map<string, number>();
  const open = new Set<Promise<void>>();
  const begun = performance.now();
  let sent = 0;

  async function request(index: number): Promise<void> {
    const [url, user] = [urls[index % urls.length] as string, users[index % USERS] as Session];
    const answer =
      index % A_LOGIN_IN === 0 ? login(url, user.email).then(() => 200) : send(url, "GET", "/v1/users/me", user.token);
    const status = await answer.then(String, () => "failed");
    answers.set(status, (answers.get(status) ?? 0) + 1);
  }

  const timer = setInterval(() => {
    // As many as are due: timers are late on a busy machine.
    for (const due = ((performance.now() - begun) / 1_000) * perSecond; sent < due; sent += 1) {
      const one: Promise<void> = request(sent).finally(() => open.delete(one));
      open.add(one);
    }
  }, 1_000 / perSecond);
  return {
    rate: () => sent / ((performance.now() - begun) / 1_000),
    answers,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}
