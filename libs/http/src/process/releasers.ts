type Release = () => Promise<void> | void;

export interface Releasers {
  /** Remembers how to give back what was just acquired; `name` is for the log. */
  add(name: string, release: Release): void;
  /**
   * Gives everything back, last acquired first. A release that fails is reported and the rest go on.
   * Never rejects; a second call finds nothing left to do.
   */
  releaseAll(): Promise<void>;
}

/** A stack of what is to be given back at the end, also after a start that failed half-way. */
export function createReleasers(onFailure: (name: string, error: unknown) => void = printFailure): Releasers {
  const stack: { name: string; release: Release }[] = [];
  return {
    add: (name, release) => void stack.push({ name, release }),
    async releaseAll() {
      for (let entry = stack.pop(); entry; entry = stack.pop()) {
        try {
          await entry.release();
        } catch (error) {
          onFailure(entry.name, error);
        }
      }
    },
  };
}

function printFailure(name: string, error: unknown): void {
  console.error(`${name} could not be released:`, error);
}
