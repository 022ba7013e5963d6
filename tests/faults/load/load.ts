import type { Random, Tally } from "@gatehouse/test-kit/run";
import { setTimeout as pause } from "node:timers/promises";
import { change, CHANGES, create } from "./changes.ts";
import { type Client, type Journal, type Person, send } from "./client.ts";
import { SESSION_ACTS } from "./sessions.ts";

type ActName = keyof typeof CHANGES | keyof typeof SESSION_ACTS;

/** How often each act comes. */
const WEIGHTS = {
  ...{ look: 25, refresh: 16, rename: 14, "log in": 10, "log out": 4, "change email": 4, "admin verify": 4 },
  ...{ "remove a session": 3, "refresh twice": 2, replay: 2, "change password": 2, "log out everywhere": 2 },
  ...{ "delete oneself": 2, "admin deactivate": 2, "admin role": 2, "admin password": 2, "admin erase": 1 },
};

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

/**
 * Starts clients that do one act after another.
 * @returns a function that lets each finish its act, and returns everyone whose state is certain
 */
export function startLoad(options: LoadOptions): () => Promise<readonly Person[]> {
  const { clients, seed, gatewayUrls, tally, journal, rootToken } = options;
  const stopping = new AbortController();
  const known = new Map<string, Person>();

  async function live(number: number): Promise<void> {
    const name = `client-${number}`;
    const random = options.random.fork(name);
    let counter = 0;
    const client: Client = {
      ...{ name, random, journal, rootToken, person: undefined },
      unique: () => `${seed}-${number}-${(counter += 1)}`,
      ask: (act, request) => send(tally, random.pick(gatewayUrls), act, request),
      askAll: (act, request) => Promise.all(gatewayUrls.map((url) => send(tally, url, act, request))),
    };
    for (; !stopping.signal.aborted; await pause(random.integer(THINK_MS.least, THINK_MS.most))) {
      const { person } = client;
      if (person === undefined || random.chance(NEW_PERSON_SHARE)) await create(client, random.chance(0.2));
      else {
        const act = chooseAct(random, person);
        await (act in CHANGES
          ? change(client, person, act as keyof typeof CHANGES)
          : SESSION_ACTS[act as keyof typeof SESSION_ACTS](client, person));
        if (client.person === undefined) known.delete(person.id);
      }
      if (client.person) known.set(client.person.id, client.person);
    }
  }

  const running = Array.from({ length: clients }, (_, index) => live(index + 1));
  return async () => {
    stopping.abort();
    await Promise.all(running);
    return [...known.values()];
  };
}

function chooseAct(random: Random, { isDeleted, isActive, sessions }: Person): ActName {
  if (isDeleted) return random.pickWeighted({ "admin restore": 3, "log in": 1, "admin erase": 1 });
  if (!isActive) return random.pickWeighted({ "admin activate": 3, "log in": 2 });
  if (sessions.length === 0) return "log in";
  const act = random.pickWeighted(WEIGHTS);
  if (act === "log in" && sessions.length >= MAX_SESSIONS) return "log out";
  return act === "remove a session" && sessions.length < 2 ? "log in" : act;
}
