import type { Random, Tally } from "@gatehouse/test-kit/run";
import { setTimeout as pause } from "node:timers/promises";
import {
  adminCreate,
  adminErase,
  adminPassword,
  adminRestore,
  adminRole,
  adminSetActive,
  adminVerify,
  changeEmail,
  changePassword,
  deleteOneself,
  logOut,
  logOutEverywhere,
  register,
  removeSession,
  rename,
} from "./changes.ts";
import { type Act, type Client, type Journal, type Person, send } from "./client.ts";
import { logIn, look, refresh, refreshTwice, replay } from "./sessions.ts";

/** Acts and how often they come. */
const WEIGHTS: readonly (readonly [weight: number, acts: readonly Act[]])[] = [
  [25, [look]],
  [16, [refresh]],
  [14, [rename]],
  [10, [logIn]],
  [4, [logOut, changeEmail, adminVerify]],
  [3, [removeSession]],
  [2, [refreshTwice, replay, changePassword, logOutEverywhere, deleteOneself]],
  [2, [adminSetActive, adminRole, adminPassword]],
  [1, [adminErase]],
];
const ACTS = WEIGHTS.flatMap(([weight, acts]) => Array.from({ length: weight }, () => acts).flat());

/** Share of steps in which a client takes a new person, so that there are many. */
const NEW_PERSON_SHARE = 0.03;
const MAX_SESSIONS = 4;
const THINK_MS = { least: 20, most: 120 };

export interface LoadOptions {
  readonly clients: number;
  readonly random: Random;
  /** Part of every value of this run, so that values of two runs differ. */
  readonly seed: string;
  readonly gatewayUrls: readonly string[];
  readonly rootToken: string;
  readonly journal: Journal;
  readonly tally: Tally;
}

export interface Load {
  /** Lets each client finish its act. Returns everyone whose state is certain. */
  stop(): Promise<readonly Person[]>;
}

/** Starts clients that do one act after another. */
export function startLoad({ clients, seed, gatewayUrls, rootToken, journal, tally, ...options }: LoadOptions): Load {
  const stopping = new AbortController();
  const known = new Map<string, Person>();

  function createClient(number: number): Client {
    const name = `client-${number}`;
    const random = options.random.fork(name);
    let counter = 0;
    return {
      ...{ name, random, journal, rootToken, person: undefined },
      unique: () => `${seed}-${number}-${(counter += 1)}`,
      ask: (act, request) => send(tally, random.pick(gatewayUrls), act, request),
      askAll: (act, request) => Promise.all(gatewayUrls.map((url) => send(tally, url, act, request))),
    };
  }

  async function live(client: Client): Promise<void> {
    const { random } = client;
    while (!stopping.signal.aborted) {
      const { person } = client;
      if (person === undefined || random.chance(NEW_PERSON_SHARE))
        await (random.chance(0.8) ? register(client) : adminCreate(client));
      else {
        await chooseAct(random, person)(client, person);
        if (client.person === undefined) known.delete(person.id);
      }
      if (client.person) known.set(client.person.id, client.person);
      await pause(random.integer(THINK_MS.least, THINK_MS.most));
    }
  }

  const running = Array.from({ length: clients }, (_, index) => live(createClient(index + 1)));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(running);
      return [...known.values()];
    },
  };
}

function chooseAct(random: Random, { isDeleted, isActive, sessions }: Person): Act {
  if (isDeleted) return random.pick([adminRestore, adminRestore, adminRestore, logIn, adminErase]);
  if (!isActive) return random.chance(0.6) ? adminSetActive : logIn;
  if (sessions.length === 0) return logIn;
  const act = random.pick(ACTS);
  if (act === logIn && sessions.length >= MAX_SESSIONS) return logOut;
  return act === removeSession && sessions.length < 2 ? logIn : act;
}
