/** How requests were answered. A 500 is a class of its own, since nothing that is broken here excuses one. */
export const ANSWER_CLASSES = ["2xx", "4xx", "500", "502", "503", "504", "other", "none"] as const;
type AnswerClass = (typeof ANSWER_CLASSES)[number];
export type AnswerCounts = Readonly<Record<AnswerClass, number>>;

export interface Tally {
  count(answer: { readonly status: number; readonly body: object }, what: string): void;
  total(): AnswerCounts;
  /** What was asked and answered, of every answer that must not be. */
  forbidden(): readonly string[];
}

export function createTally(): Tally {
  const counts = emptyCounts();
  const forbidden: string[] = [];
  return {
    count({ status, body }, what) {
      const kind = classOf(status);
      counts[kind] += 1;
      if (kind === "500" || kind === "other") forbidden.push(`${what}: ${status} ${JSON.stringify(body)}`);
    },
    total: () => ({ ...counts }),
    forbidden: () => forbidden,
  };
}

function classOf(status: number): AnswerClass {
  if (status === 0) return "none";
  if (status >= 200 && status < 300) return "2xx";
  if (status >= 400 && status < 500) return "4xx";
  const name = String(status) as AnswerClass;
  return ANSWER_CLASSES.includes(name) ? name : "other";
}

function emptyCounts(): Record<AnswerClass, number> {
  return { "2xx": 0, "4xx": 0, "500": 0, "502": 0, "503": 0, "504": 0, other: 0, none: 0 };
}
