import { listOf, reportCommand } from "@gatehouse/test-kit/run";
import type { Command } from "commander";

/** A figure with the most or the least that it may be. */
interface Bar {
  readonly figure: number;
  readonly most?: number;
  readonly least?: number;
}

interface Result {
  readonly figures: object;
  readonly bars: Readonly<Record<string, Bar>>;
}

/** Creates a command that prints all figures and bars, and passes when every bar is met. NaN meets none. */
export function benchCommand(name: string, description: string, bench: (options: never) => Promise<Result>): Command {
  return reportCommand(name, description, async (options: never) => {
    const { figures, bars } = await bench(options);
    const isMet = ({ figure, most = figure, least = figure }: Bar) => figure <= most && figure >= least;
    return {
      passed: Object.values(bars).every(isMet),
      figures: { ...figures, bars },
      lines: [
        ...linesOf("", figures),
        ...Object.entries(bars).map(([what, bar]) => `${isMet(bar) ? "met   " : "MISSED"} ${what}: ${list(bar)}`),
      ],
    };
  });
}

const list = (values: object) => listOf({ ...values }, show);
const show = (value: unknown) => String(typeof value === "number" ? Math.round(value * 1_000) / 1_000 : value);

/** A line for each object, with the path to it. */
function linesOf(path: string, values: object): string[] {
  const entries = Object.entries(values) as [string, unknown][];
  const isNested = ([, value]: [string, unknown]) => typeof value === "object";
  const own = entries.filter((entry) => !isNested(entry));
  return [
    ...(own.length > 0 ? [`${path.padEnd(26)} ${list(Object.fromEntries(own))}`] : []),
    ...entries.filter(isNested).flatMap(([name, value]) => linesOf(`${path} ${name}`.trim(), value as object)),
  ];
}
