// pnpm bench:view: memory and time of the revocation view. See --help.
import { applyRevocation, createRevocationView, type RevocableClaims, type RevocationView } from "@gatehouse/access";
import { newId } from "@gatehouse/contracts";
import { createEvent } from "@gatehouse/messaging";
import { countOption, quantile, type Report, reportCommand, showCount } from "@gatehouse/test-kit/run";

const BYTES_AN_ENTRY = 150;
const NANOSECONDS_A_LOOK_UP = 1_000;
const ROUNDS = 50;
const A_ROUND = 20_000;
const REVOKED_SHARE = 0.01;
const ID_LENGTH = 36;

async function bench({ entries }: { readonly entries: number }): Promise<Report> {
  const empty = memoryUsed();
  const view = createRevocationView({ lifetimeSeconds: 3_600, now: () => performance.now() });
  const ids = fill(view, entries);
  const bytes = (memoryUsed() - empty) / view.size();
  const rounds = Array.from({ length: ROUNDS }, () => timeRound(view, ids));
  const [best, p50, worst] = [0, 0.5, 1].map((share) => quantile(rounds, share)) as [number, number, number];
  return {
    passed: view.size() === entries && bytes <= BYTES_AN_ENTRY && p50 < NANOSECONDS_A_LOOK_UP,
    figures: { entries: view.size(), bytesAnEntry: bytes, nanosecondsALookUp: { best, p50, worst } },
    lines: [
      `${view.size()} entries, ${bytes.toFixed(0)} bytes each (at most ${BYTES_AN_ENTRY})`,
      `a look-up takes ${p50.toFixed(0)} ns (best round ${best.toFixed(0)}, worst ${worst.toFixed(0)}; at most ${NANOSECONDS_A_LOOK_UP})`,
    ],
  };
}

/**
 * Applies revocations from their bytes, because parsed ids may keep more memory alive.
 * @returns a sample of the session ids, outside the measured heap
 */
function fill(view: RevocationView, entries: number): Buffer {
  const sample = Buffer.alloc(A_ROUND * REVOKED_SHARE * ID_LENGTH);
  let kept = 0;
  for (let index = 0; index < entries; index += 1) {
    const [user_id, session_id] = [newId(), newId()];
    const about = { source: "auth", subject: user_id } as const;
    const event =
      index % 2 === 0
        ? createEvent({
            ...{ ...about, type: "auth.sessions.revoked" },
            data: { user_id, token_version: 2, reason: "logout_all" },
          })
        : createEvent({ ...about, type: "auth.session.revoked", data: { user_id, session_id, reason: "logout" } });
    applyRevocation(view, Buffer.from(JSON.stringify(event)));
    if (index % 2 === 1 && kept < sample.length) kept += sample.write(session_id, kept, "latin1");
    if ((index + 1) % 10_000 === 0 || index + 1 === entries) showCount("entries", index + 1, entries);
  }
  return sample.subarray(0, kept);
}

/** Nanoseconds of CPU a look-up, over parsed tokens that the view sees for the first time. */
function timeRound(view: RevocationView, revoked: Buffer): number {
  const known = revoked.length / ID_LENGTH;
  const claims = Array.from({ length: A_ROUND }, (_, index): RevocableClaims => {
    const sid = index < known ? revoked.toString("latin1", index * ID_LENGTH, (index + 1) * ID_LENGTH) : newId();
    return { sub: newId(), sid, jti: newId(), kid: "key", tokenVersion: 1 };
  });
  const tokens = JSON.parse(JSON.stringify(claims)) as RevocableClaims[];
  const begun = process.cpuUsage();
  const rejected = tokens.filter((token) => view.isRevoked(token)).length;
  const { user, system } = process.cpuUsage(begun);
  if (rejected !== known) throw new Error(`the view rejected ${rejected} tokens of ${known} revoked ones`);
  return ((user + system) * 1_000) / tokens.length;
}

/** Bytes that JavaScript holds, typed arrays included. */
function memoryUsed(): number {
  if (globalThis.gc === undefined) throw new Error("Start Node with --expose-gc, as pnpm bench:view does.");
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

await reportCommand(
  "pnpm bench:view",
  `Fills a revocation view, measures the bytes an entry, and looks up tokens of which 1 % are revoked. Fails above ${BYTES_AN_ENTRY} bytes an ` +
    `entry, or at ${NANOSECONDS_A_LOOK_UP} ns a look-up or more (median of rounds).`,
  bench,
)
  .addOption(countOption("entries", "revocations", 1_000_000))
  .parseAsync();
