/** A set with false positives and no false negatives. */
export interface IdFilter {
  add(id: string): void;
  /** False means that the id was not added. */
  mayHave(id: string): boolean;
}

/** 2 MiB, allocated with the first id. One id in sixteen is a false positive after a million ids. */
const SLOT_BITS = 24;
/** The end of a UUIDv7 is random; it starts with the time. */
const CHARACTERS = 8;

/**
 * Creates a filter with one bit per id, small enough for the processor's cache. A lookup in a large Map costs several
 * memory accesses, and almost no token is in it.
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

/** Returns the upper bits of FNV-1a. */
function slotOf(id: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = Math.max(0, id.length - CHARACTERS); index < id.length; index += 1)
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01_00_01_93);
  return Math.imul(hash, 0x9e_37_79_b1) >>> (32 - SLOT_BITS);
}
