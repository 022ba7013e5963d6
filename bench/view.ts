// pnpm bench:view: memory and time of the revocation view. See --help.
import { applyRevocation, createRevocationView, type RevocableClaims, type RevocationView } from "@gatehouse/access";
import { newId } from "@gatehouse/contracts";
import { createEvent } from "@gatehouse/messaging";
import { countOption, quantile, showCount } from "@gatehouse/test-kit/run";
import { benchCommand } from "./support/report.ts";

const BYTES_AN_ENTRY = 150;
const NANOSECONDS_A_LOOK_UP = 1_000;
const ROUNDS = 50;
const A_ROUND = 20_000;
const REVOKED_SHARE = 0.01;
const ID_LENGTH = 36;

async function bench({ entries }: { readonly entries: number }) {
  const empty = memoryUsed();
  const view = createRevocationView({ lifetimeSeconds: 3_600, now: () => performance.now() });
  const ids = fill(view, entries);
  const bytes = (memoryUsed() - empty) / view.size();
  const rounds = Array.from({ length: ROUNDS }, () => timeRound(view, ids));
  return {
    figures: { entries: view.size(), nanoseconds: { best: quantile(rounds, 0), worst: quantile(rounds, 1) } },
    bars: {
      "bytes an entry": { figure: bytes, most: BYTES_AN_ENTRY },
      "nanoseconds of CPU a look-up (median)": { figure: quantile(rounds, 0.5), most: NANOSECONDS_A_LOOK_UP },
    },
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

await benchCommand(
  "pnpm bench:view",
  "Fills a revocation view, measures the bytes an entry, and looks up tokens of which 1 % are revoked.",
  bench,
)
  .addOption(countOption("entries", "revocations", 1_000_000))
  .parseAsync();
