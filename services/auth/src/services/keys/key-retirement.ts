import type { GatehouseEvent } from "@gatehouse/contracts";
import { createEvent } from "@gatehouse/messaging";
import type { AuthTransaction } from "../../db/database.ts";
import { listKeys, setKeyRetired, type StoredKey } from "../../repositories/keys/signing-key.repository.ts";

/** From the last token of a superseded key to its retirement; covers a replica that has not reloaded. */
const RETIREMENT_MARGIN_SECONDS = 120;

type Emit = (event: GatehouseEvent) => void;

/** Runs a change of the keys in a transaction that no other change of them overlaps. */
export type UnderLock = <T>(change: (trx: AuthTransaction, emit: Emit) => Promise<T>) => Promise<T>;

interface KeyRetirementDeps {
  readonly underLock: UnderLock;
  readonly reload: () => Promise<void>;
  readonly accessTokenSeconds: number;
  readonly now: () => Date;
}

/** Retires keys: tokens that they signed are rejected from then on. */
export function createKeyRetirement({ underLock, reload, accessTokenSeconds, now }: KeyRetirementDeps) {
  async function retireChosen(choose: (keys: readonly StoredKey[]) => readonly string[]): Promise<string[]> {
    const retired = await underLock(async (trx, emit) => {
      const kids: string[] = [];
      for (const kid of choose(await listKeys(trx))) if (await retireKey(trx, kid, emit)) kids.push(kid);
      return kids;
    });
    if (retired.length > 0) await reload();
    return retired;
  }

  return {
    /**
     * Retires a key whose successor signs.
     * @returns false when the key signs, will sign, or does not exist
     */
    async retire(kid: string): Promise<boolean> {
      const retired = await retireChosen((keys) =>
        supersededAt(keys, now()).filter((superseded) => superseded === kid),
      );
      return retired.length > 0;
    },

    /** Retires every superseded key whose last token has expired. Returns their kids. */
    retireSuperseded: (): Promise<string[]> => retireChosen((keys) => supersededKeys(keys, now(), accessTokenSeconds)),
  };
}

type KeyOrder = Pick<StoredKey, "kid" | "signsFrom">;

/**
 * Returns the kids of keys that verify no unexpired token, because a newer key has signed for longer than an access token lives.
 * `keys` are sorted by `signsFrom`, latest first.
 */
export function supersededKeys(keys: readonly KeyOrder[], now: Date, accessTokenSeconds: number): string[] {
  return supersededAt(keys, new Date(now.getTime() - (accessTokenSeconds + RETIREMENT_MARGIN_SECONDS) * 1000));
}

/** Returns the kids of the keys that are older than the key that signed at `time`. */
function supersededAt(keys: readonly KeyOrder[], time: Date): string[] {
  const signing = keys.findIndex(({ signsFrom }) => signsFrom <= time);
  return signing === -1 ? [] : keys.slice(signing + 1).map(({ kid }) => kid);
}

async function retireKey(trx: AuthTransaction, kid: string, emit: Emit): Promise<boolean> {
  if (!(await setKeyRetired(trx, kid))) return false;
  emit(createEvent({ source: "auth", type: "auth.key.retired", subject: kid, data: { kid } }));
  return true;
}
