import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/**
 * Asks both questions on `output` and reads the answers from `input` without showing them.
 * @returns the answer; undefined when the two differ or the input ends before
 */
export async function askTwice(
  questions: readonly [string, string],
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<string | undefined> {
  // As a terminal, so that the real one's own echo is switched off; its output, the echo, goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const dialogue = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  const lines = dialogue[Symbol.asyncIterator]();
  const answers: (string | undefined)[] = [];
  try {
    for (const question of questions) {
      output.write(question);
      const { value, done } = await lines.next();
      output.write("\n");
      answers.push(done === true ? undefined : value);
    }
  } finally {
    dialogue.close();
  }
  const [first, second] = answers;
  return first === second ? first : undefined;
}
