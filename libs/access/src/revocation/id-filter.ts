/** Says of most ids that were not added, at once and surely, that they were not. */
export interface IdFilter {
  add(id: string): void;
  /** False: certainly not added. */
  mayHave(id: string): boolean;
}

/** 2 MiB from the first id on. One id in sixteen is asked for in vain when a million were added. */
const SLOT_BITS = 24;
/** The end of a UUIDv7 is random, its beginning is the time. */
const CHARACTERS = 8;

/**
 * One bit an id, small enough to stay in the processor's cache. A large Map does not: a look-up there is half a dozen trips to memory,
 * and nearly every token is asked for in vain.
 */
export function createIdFilter(): IdFilter {
  let words: Uint32Array | undefined;
  return {
    add(id) {
      words ??= new Uint32Array(2 ** (SLOT_BITS - 5));
      const slot = slotOf(id);
      const index = slot >>> 5;
      words[index] = (words[index] as number) | (1 << (slot & 31));
    },
    mayHave(id) {
      if (words === undefined) return false;
      const slot = slotOf(id);
      return (((words[slot >>> 5] as number) >>> (slot & 31)) & 1) === 1;
    },
  };
}

/** FNV-1a, its upper bits. */
function slotOf(id: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = Math.max(0, id.length - CHARACTERS); index < id.length; index += 1)
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01_00_01_93);
  return Math.imul(hash, 0x9e_37_79_b1) >>> (32 - SLOT_BITS);
}
