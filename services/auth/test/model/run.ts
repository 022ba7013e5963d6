import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { Command } from "./commands.ts";
import { type Answered, explain } from "./explain.ts";
import type { Names } from "./names.ts";
import { expectNoSecretsStored, expectNothingSealed, observe } from "./observe.ts";
import { newUser, type World } from "./session-model.ts";
import { commandsOf, SPANS, type Step } from "./steps.ts";
import { deleteEvents, registerUsers, undoElapsedTime, type System } from "./system.ts";
import { together } from "./together.ts";
import { viewOf } from "./view.ts";

const USERS = ["ada", "bob"];

/** The worlds that explain everything so far. The first one chooses the next commands. */
type Worlds = readonly [World, ...World[]];

/**
 * Performs one run and returns its number of commands. After each step, some order of its commands must explain by the model
 * all their answers and everything observed afterwards.
 * @throws Error with the whole history when no order does
 */
export async function run(system: System, steps: readonly Step[]): Promise<number> {
  const names = await registerUsers(system, USERS);
  const history: Answered[][] = [];
  let worlds: Worlds = [
    {
      grace: system.grace,
      users: Object.fromEntries(USERS.map((name) => [name, newUser()])),
      sessions: {},
      events: [],
    },
  ];
  let used = 1;
  const fresh = () => (used += 1);
  let clock = performance.now();
  const take = async (commands: readonly Command[], held: Step["held"]) => {
    const elapsed = (performance.now() - clock) / 1_000;
    clock += elapsed * 1_000;
    await undoElapsedTime(system, names, elapsed);
    const batch = await together(system, names, commands, held);
    history.push(batch);
    worlds = await follow(system, names, worlds, history);
  };

  for (const step of steps) {
    const commands = commandsOf(worlds[0], step, fresh);
    if (commands.length > 0) await take(commands, step.held);
    if (commands.length === 1 && commands[0]?.is === "cleanUp") await expectNothingSealed(system, names);
  }
  for (const [index, session] of Object.keys(worlds[0].sessions).entries())
    for (const command of index % 2 === 0 ? endByReplay(session, system.grace) : endByAge(session))
      await take([command(worlds[0])], "nothing");
  await expectNoSecretsStored(system, names);
  await deleteEvents(system, names);
  return history.flat().length;
}

/**
 * Returns every world that explains the last batch. Several can: either of two simultaneous `setPassword` may be the last,
 * and only a later login shows which.
 */
async function follow(system: System, names: Names, before: Worlds, history: readonly Answered[][]): Promise<Worlds> {
  const explaining = explain(before, history.at(-1) ?? []);
  const [candidate] = explaining;
  if (!candidate) throw new Error(`No order of the last commands explains their answers.\n${describeHistory(history)}`);
  const seen = await observe(system, names, candidate);
  const [first, ...others] = explaining.filter((one) => isDeepStrictEqual(viewOf(one), seen));
  if (first) return [first, ...others];
  expect(seen, `The last commands left a state that differs from the model's.\n${describeHistory(history)}`).toEqual(
    viewOf(candidate),
  );
  return [candidate];
}

/** A command that depends on the tokens that its session has by then. */
type Ending = (world: World) => Command;

const lastToken = ({ sessions }: World, session: string) => (sessions[session]?.tokens.length ?? 0) - 1;
const useLast =
  (session: string): Ending =>
  (world) => ({ is: "refresh", token: { session, generation: lastToken(world, session) } });
const useOneBefore =
  (session: string): Ending =>
  (world) => ({ is: "refresh", token: { session, generation: Math.max(0, lastToken(world, session) - 1) } });
const pass =
  (session: string, seconds: number): Ending =>
  () => ({ is: "passTime", session, seconds });

/** Half of the sessions end like this: a refresh, a reuse within the grace, and a reuse after it. */
function endByReplay(session: string, grace: number): Ending[] {
  return [useLast(session), useOneBefore(session), pass(session, grace + 1), useOneBefore(session), useLast(session)];
}

/** The other sessions are refreshed until their longest lifetime is over. */
function endByAge(session: string): Ending[] {
  const days = pass(session, SPANS.passDays);
  return [useLast(session), days, useLast(session), days, useLast(session)];
}

function describeHistory(history: readonly Answered[][]): string {
  const line = ({ command, answer }: Answered) => {
    const { is, ...details } = command;
    return `${is} ${JSON.stringify(details)} -> ${Object.values(answer).join(", ")}`;
  };
  return history
    .map((batch, index) => batch.map((one, at) => `${at === 0 ? String(index + 1).padStart(3) : "  ="} ${line(one)}`))
    .flat()
    .join("\n");
}
