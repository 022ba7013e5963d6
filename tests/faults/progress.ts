import { ANSWER_CLASSES, type Tally } from "./load/tally.ts";

/** Tells on stderr how far a run is. */
export interface Progress {
  note(line: string): void;
  /** What is going on now, and how requests have been answered so far. */
  show(fault: string, tally: Tally): void;
}

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const begun = performance.now();
  const clock = () => `${((performance.now() - begun) / 1_000).toFixed(0).padStart(4)} s`;
  // On a terminal the present line is written over, and only what is worth keeping stays.
  const [home, end] = stream.isTTY ? ["\r\u001B[K", ""] : ["", "\n"];
  return {
    note: (line) => void stream.write(`${home}${clock()}  ${line}\n`),
    show(fault, tally) {
      const total = tally.total();
      const counts = ANSWER_CLASSES.filter((kind) => total[kind] > 0).map((kind) => `${kind} ${total[kind]}`);
      stream.write(`${home}${clock()}  ${fault} … (${counts.join(", ")})${end}`);
    },
  };
}
