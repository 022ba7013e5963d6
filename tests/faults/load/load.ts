import type { Random } from "@gatehouse/test-kit/system";
import { setTimeout as pause } from "node:timers/promises";
import {
  adminCreate,
  adminErase,
  adminPassword,
  adminRestore,
  adminRole,
  adminSetActive,
  adminVerify,
} from "./admin-acts.ts";
import { call } from "./call.ts";
import type { Act, Client } from "./client.ts";
import type { Journal } from "./journal.ts";
import { changeEmail, changePassword, deleteOneself, logOutEverywhere, register, rename } from "./own-acts.ts";
import type { Person } from "./person.ts";
import { logIn, logOut, look, refresh, refreshTwice, removeSession, replay } from "./session-acts.ts";
import type { Tally } from "./tally.ts";

const ACTS = {
  look: { run: look, weight: 25 },
  refresh: { run: refresh, weight: 16 },
  rename: { run: rename, weight: 14 },
  "log in": { run: logIn, weight: 10 },
  "log out": { run: logOut, weight: 4 },
  "change email": { run: changeEmail, weight: 4 },
  "admin verify": { run: adminVerify, weight: 4 },
  "remove a session": { run: removeSession, weight: 3 },
  "refresh twice": { run: refreshTwice, weight: 2 },
  replay: { run: replay, weight: 2 },
  "change password": { run: changePassword, weight: 2 },
  "log out everywhere": { run: logOutEverywhere, weight: 2 },
  "admin active": { run: adminSetActive, weight: 2 },
  "admin role": { run: adminRole, weight: 2 },
  "admin password": { run: adminPassword, weight: 2 },
  "delete oneself": { run: deleteOneself, weight: 2 },
  "admin erase": { run: adminErase, weight: 1 },
} as const satisfies Record<string, { run: Act; weight: number }>;

const WEIGHTS = Object.fromEntries(Object.entries(ACTS).map(([name, { weight }]) => [name, weight])) as Record<
  keyof typeof ACTS,
  number
>;

/** A person changes hands for a new one now and then, so that there are many. */
const NEW_PERSON_SHARE = 0.03;
const MAX_SESSIONS = 4;
const THINK_MS = { least: 20, most: 120 };

export interface LoadOptions {
  readonly clients: number;
  readonly random: Random;
  /** Marks everything that this run makes, so that values of two runs differ. */
  readonly seed: string;
  readonly gateways: readonly string[];
  readonly rootToken: string;
  readonly journal: Journal;
  readonly tally: Tally;
}

export interface Load {
  /** Lets each client finish what it does; answers whom they know for certain then, people of earlier included. */
  stop(): Promise<readonly Person[]>;
}

/** Clients that each live their users' lives, one act after the other, until they are told to stop. */
export function startLoad(options: LoadOptions): Load {
  const { gateways, journal, tally } = options;
  const stopping = new AbortController();
  const known = new Map<string, Person>();

  function createClient(number: number): Client {
    const name = `client-${number}`;
    const random = options.random.fork(name);
    let counter = 0;
    return {
      name,
      random,
      journal,
      rootToken: options.rootToken,
      person: undefined,
      unique: () => `${options.seed}-${number}-${(counter += 1)}`,
      ask: (act, request) => call(random.pick(gateways), act, request, tally),
      askAll: (act, request) => Promise.all(gateways.map((gateway) => call(gateway, act, request, tally))),
    };
  }

  async function live(client: Client): Promise<void> {
    while (!stopping.signal.aborted) {
      const { person } = client;
      if (person === undefined || client.random.chance(NEW_PERSON_SHARE)) await becomeSomebody(client);
      else {
        await chooseAct(client, person)(client, person);
        // Given up or erased.
        if (client.person !== person) known.delete(person.id);
      }
      if (client.person) known.set(client.person.id, client.person);
      await pause(client.random.integer(THINK_MS.least, THINK_MS.most));
    }
  }

  const clients = Array.from({ length: options.clients }, (_, number) => live(createClient(number + 1)));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(clients);
      return [...known.values()];
    },
  };
}

async function becomeSomebody(client: Client): Promise<void> {
  client.person = undefined;
  await (client.random.chance(0.8) ? register(client) : adminCreate(client));
}

function chooseAct({ random }: Client, person: Person): Act {
  if (person.isDeleted) return random.chance(0.6) ? adminRestore : random.chance(0.5) ? logIn : adminErase;
  if (!person.isActive) return random.chance(0.6) ? adminSetActive : logIn;
  if (person.sessions.length === 0) return logIn;
  const name = random.pickWeighted(WEIGHTS);
  return name === "log in" && person.sessions.length >= MAX_SESSIONS ? logOut : ACTS[name].run;
}
