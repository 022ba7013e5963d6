import { createInterface } from "node:readline/promises";

/** Asks on `output` and reads the answer from `input`; anything but yes is a no, the end of the input too. */
export async function confirm(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  const dialogue = createInterface({ input, output });
  const gone = new Promise<string>((resolve) => dialogue.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([dialogue.question(`${question} [y/N] `), gone]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    dialogue.close();
  }
}
