import type { Random } from "@gatehouse/test-kit/system";
import { setTimeout as pause } from "node:timers/promises";
import { type Outage, refusalDue } from "../system/outages.ts";
import { call } from "./call.ts";
import { type Journal, noteComplaint, type Revoked } from "./journal.ts";
import type { Tally } from "./tally.ts";

export interface ProbeOptions {
  /** Where a token is shown: the gateways, and the user service itself. */
  readonly places: readonly string[];
  readonly random: Random;
  readonly journal: Journal;
  readonly tally: Tally;
  /** How long after its end was acknowledged a token may still be accepted, milliseconds. */
  readonly withinMs: number;
  readonly authOutages: () => readonly Outage[];
}

export interface Prober {
  stop(): Promise<void>;
  /** How many tokens were shown that had to be refused. */
  probed(): number;
}

const PATH = "/v1/users/me";
const EVERY_MS = 40;
/** Looked through for tokens that are due; more are never ended within the term. */
const LATEST = 100;
/** One of so many that have become due last, since a view that is behind is behind with those. */
const JUST_DUE = 10;

/** Shows revoked tokens, as soon as they must be refused, to whoever may not have heard of it. */
export function startProber(options: ProbeOptions): Prober {
  const { journal, random } = options;
  const stopping = new AbortController();
  let probed = 0;

  async function probe(): Promise<void> {
    const begun = performance.now();
    const due = journal.revoked
      .slice(-LATEST)
      .filter(({ at }) => refusalDue(at, options.withinMs, options.authOutages()) < begun);
    if (due.length === 0) return;
    probed += 1;
    const revoked = random.pick(due.slice(-JUST_DUE));
    const place = random.pick(options.places);
    const { outcome } = await call(place, "probe", { method: "GET", path: PATH, token: revoked.token }, options.tally);
    if (outcome === "done") noteComplaint(journal, describeLate(revoked, begun, place));
  }

  async function goOn(): Promise<void> {
    while (!stopping.signal.aborted) {
      await probe();
      await pause(EVERY_MS);
    }
  }

  const running = Promise.all([goOn(), goOn()]);
  return {
    probed: () => probed,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

function describeLate({ act, at }: Revoked, now: number, place: string): string {
  return `a token was accepted ${((now - at) / 1_000).toFixed(1)} s after "${act}" was acknowledged, at ${place}`;
}
