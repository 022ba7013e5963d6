import type { Random } from "@gatehouse/test-kit/system";
import { call, type Answer, type Request } from "./call.ts";
import { type Journal, noteChange, noteComplaint } from "./journal.ts";
import type { Person } from "./person.ts";
import type { Tally } from "./tally.ts";

export interface LastLookOptions {
  readonly people: readonly Person[];
  readonly places: readonly string[];
  readonly gateway: string;
  readonly random: Random;
  readonly journal: Journal;
  readonly tally: Tally;
}

/** How many of each kind are looked at; a run makes thousands. */
const SAMPLE = 150;

/** With everything well again: who is logged in still is, who is not is refused, and all known credentials are right. */
export async function takeLastLook(options: LastLookOptions): Promise<{ looked: number }> {
  const { people, places, gateway, random, journal, tally } = options;
  let looked = 0;

  async function expectStatus(status: number, base: string, what: string, request: Request): Promise<Answer> {
    looked += 1;
    const answer = await call(base, "last look", request, tally);
    if (answer.status !== status)
      noteComplaint(
        journal,
        `at the end, ${what} was answered ${answer.status} ${String(answer.body["type"] ?? "")} and not ${status}`,
      );
    return answer;
  }

  const alive = people.filter(({ isActive, isDeleted }) => isActive && !isDeleted);
  for (const { sessions } of sample(alive, random))
    for (const { cookie, tokens } of sessions) {
      for (const place of places)
        await expectStatus(200, place, "a living session", {
          method: "GET",
          path: "/v1/users/me",
          token: tokens.at(-1),
        });
      await expectStatus(200, gateway, "its refresh token", { method: "POST", path: "/v1/auth/refresh", cookie });
    }
  for (const { token, act } of sample(journal.revoked, random))
    for (const place of places)
      await expectStatus(401, place, `a token ended by "${act}"`, { method: "GET", path: "/v1/users/me", token });
  for (const cookie of sample(journal.spentCookies, random))
    await expectStatus(401, gateway, "an ended session's refresh token", {
      method: "POST",
      path: "/v1/auth/refresh",
      cookie,
    });
  for (const { id: userId, email, password } of sample(alive, random)) {
    const form = { username: email, password };
    const login = { method: "POST", path: "/v1/auth/login", form } as const;
    const answer = await expectStatus(200, gateway, "a login with the right password", login);
    noteChange(journal, "log in", answer, { userId });
  }
  return { looked };
}

function sample<T>(items: readonly T[], random: Random): T[] {
  return random.shuffle(items).slice(0, SAMPLE);
}
