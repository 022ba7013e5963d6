type Release = () => Promise<void> | void;

export interface Releasers {
  /** Adds the release of a resource that was just acquired; `name` is for the log. */
  add(name: string, release: Release): void;
  /** Releases everything, last acquired first. Reports a release that fails and continues. Never rejects; a second call does nothing. */
  releaseAll(): Promise<void>;
}

/** Returns a stack of resources to release when the process ends, also after a failed start. */
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
  console.error(`could not release ${name}:`, error);
}
