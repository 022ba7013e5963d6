import { isDeepStrictEqual } from "node:util";
import type { Answer, Command } from "./commands.ts";
import { act, type World } from "./session-model.ts";

export interface Answered {
  readonly command: Command;
  readonly answer: Answer;
}

/**
 * Returns the worlds after every order of simultaneous commands in which the model answers what the service answered:
 * linearizability (Herlihy and Wing, 1990) of one batch, from each world that is possible before it. Empty when no order explains the answers.
 */
export function explain(before: readonly World[], batch: readonly Answered[]): World[] {
  const worlds = new Map<string, World>();
  for (const world of before) for (const after of worldsAfterBatch(world, batch)) worlds.set(keyOf(after), after);
  return [...worlds.values()];
}

/** Returns equal keys for worlds that differ only in the order of their events and sessions. */
function keyOf({ events, sessions, ...world }: World): string {
  const sorted = Object.entries(sessions).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify({ ...world, sessions: sorted, events: events.toSorted() });
}

function worldsAfterBatch(world: World, batch: readonly Answered[]): World[] {
  const worlds: World[] = [];
  const visit = (now: World, remaining: readonly Answered[]): void => {
    if (remaining.length === 0) return void worlds.push(now);
    const tried = new Set<string>();
    for (const [index, one] of remaining.entries()) {
      // Equal commands with equal answers are interchangeable; without this, eight of them have 40,320 orders.
      const key = JSON.stringify(one);
      if (tried.has(key)) continue;
      tried.add(key);
      const rest = remaining.toSpliced(index, 1);
      for (const next of worldsAfter(world, now, one)) visit(next, rest);
    }
  };
  visit(world, batch);
  return worlds;
}

function worldsAfter(before: World, now: World, { command, answer }: Answered): World[] {
  const after = structuredClone(now);
  if (isDeepStrictEqual(act(after, command), answer)) return [after];
  return lateAnswers(before, now, command).some((late) => isDeepStrictEqual(late, answer)) ? [now] : [];
}

/**
 * Returns the other answers that a race allows. A request checks its credentials on arrival and acts later; a revocation may
 * commit in between. Such a request changes nothing.
 */
function lateAnswers(before: World, now: World, command: Command): Answer[] {
  const onArrival = act(structuredClone(before), command);
  const onActing = act(structuredClone(now), command);
  if (onArrival.status === 401 || onActing.status !== 401) return [];
  switch (command.is) {
    case "logoutByBearer":
    case "logoutByCookie":
      // The caller wanted the session to end, and it has ended.
      return [onArrival];
    case "changePassword":
    case "deleteSelf":
      // The password has changed: both the password and the bearer are invalid, and either may be reported.
      return passwordOf(now, command.bearer) === command.password
        ? []
        : [unauthorized("InvalidCredentials"), unauthorized("TokenRevokedError")];
    case "removeSession":
      // The caller's sessions ended, including this one.
      return [{ status: 404, error: "ResourceNotFound", cookie: "untouched" }];
    default:
      return [];
  }
}

const unauthorized = (error: string): Answer => ({ status: 401, error, cookie: "untouched" });

function passwordOf(world: World, bearer: string): number | undefined {
  return world.users[world.sessions[bearer]?.user ?? ""]?.password;
}
