// pnpm bench:view: what an entry of the revocation view costs in memory, and a look-up in time. See --help.
import { parseCount } from "@gatehouse/test-kit/command";
import { applyRevocation, createRevocationView, type RevocableClaims, type RevocationView } from "@gatehouse/access";
import { newId } from "@gatehouse/contracts";
import { createEvent } from "@gatehouse/messaging";
import { Option } from "commander";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { progress, quantile } from "./support/report.ts";

interface Options {
  readonly entries: number;
}

const BYTES_AN_ENTRY = 150;
const NANOSECONDS_A_LOOK_UP = 1_000;
const ROUNDS = 50;
const A_ROUND = 20_000;
/** So many of the tokens that are looked up are revoked. */
const REVOKED_SHARE = 0.01;

function bench({ entries }: Options): Promise<BenchResult> {
  const empty = memoryUsed();
  const view = createRevocationView({ lifetimeSeconds: 3_600, now: () => performance.now() });
  const ids = fill(view, entries);
  const bytes = (memoryUsed() - empty) / view.size();
  const nanoseconds = Array.from({ length: ROUNDS }, () => timeRound(view, ids));
  const lookUp = { p50: quantile(nanoseconds, 0.5), best: quantile(nanoseconds, 0), worst: quantile(nanoseconds, 1) };
  const passed = view.size() === entries && bytes <= BYTES_AN_ENTRY && lookUp.p50 < NANOSECONDS_A_LOOK_UP;
  return Promise.resolve({
    passed,
    figures: { entries: view.size(), bytesAnEntry: bytes, nanosecondsALookUp: lookUp },
    lines: [
      `${view.size()} entries, ${bytes.toFixed(0)} bytes each (at most ${BYTES_AN_ENTRY})`,
      `a look-up takes ${lookUp.p50.toFixed(0)} ns (best round ${lookUp.best.toFixed(0)}, worst ${lookUp.worst.toFixed(0)}; at most ${NANOSECONDS_A_LOOK_UP})`,
    ],
  });
}

/**
 * Enters revocations as they come off the wire, users and sessions in turn, so that what a parsed id keeps alive counts, too.
 * @returns a sample of the session ids, as bytes outside the heap that is measured
 */
function fill(view: RevocationView, entries: number): Buffer {
  const sample = Buffer.alloc(A_ROUND * REVOKED_SHARE * 36);
  let kept = 0;
  for (let index = 0; index < entries; index += 1) {
    const [user_id, session_id] = [newId(), newId()];
    const event =
      index % 2 === 0
        ? createEvent({
            source: "auth",
            type: "auth.sessions.revoked",
            subject: user_id,
            data: { user_id, token_version: 2, reason: "logout_all" },
          })
        : createEvent({
            source: "auth",
            type: "auth.session.revoked",
            subject: user_id,
            data: { user_id, session_id, reason: "logout" },
          });
    applyRevocation(view, Buffer.from(JSON.stringify(event)));
    if (index % 2 === 1 && kept < sample.length) kept += sample.write(session_id, kept, "latin1");
    if ((index + 1) % 10_000 === 0 || index + 1 === entries) progress("entries", index + 1, entries);
  }
  return sample.subarray(0, kept);
}

/**
 * Nanoseconds of CPU a look-up, which other work on the machine does not add to; over tokens of which each is seen for the first
 * time, parsed as tokens are.
 */
function timeRound(view: RevocationView, revoked: Buffer): number {
  const known = revoked.length / 36;
  const claims = Array.from({ length: A_ROUND }, (_, index): RevocableClaims => {
    const sid = index < known ? revoked.toString("latin1", index * 36, (index + 1) * 36) : newId();
    return { sub: newId(), sid, jti: newId(), kid: "key", tokenVersion: 1 };
  });
  const tokens = JSON.parse(JSON.stringify(claims)) as RevocableClaims[];
  const begun = process.cpuUsage();
  const refused = tokens.filter((token) => view.isRevoked(token)).length;
  const { user, system } = process.cpuUsage(begun);
  const nanoseconds = ((user + system) * 1_000) / tokens.length;
  if (refused !== known) throw new Error(`${refused} tokens were refused and ${known} were revoked`);
  return nanoseconds;
}

/** Bytes that JavaScript holds, typed arrays included. */
function memoryUsed(): number {
  if (globalThis.gc === undefined) throw new Error("Node must be started with --expose-gc, as pnpm bench:view does");
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

await benchCommand(
  "bench:view",
  `Fills a revocation view with revocations as they come off the wire and tells the bytes an entry; then looks tokens up, one in a
hundred of them revoked, each for the first time. Fails when an entry takes more than ${BYTES_AN_ENTRY} bytes or a
look-up ${NANOSECONDS_A_LOOK_UP} ns or more (median of rounds).`,
  bench,
)
  .addOption(new Option("--entries <count>", "how many").argParser(parseCount).default(1_000_000))
  .parseAsync();
