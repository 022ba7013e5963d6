import type { Random } from "@gatehouse/test-kit/system";
import { BUS_FAULTS } from "./bus-faults.ts";
import { CRASHES, WRONG_CLOCKS } from "./crashes.ts";
import type { Fault } from "./fault.ts";
import { FULL_DISK } from "./full-disk.ts";
import { LINE_FAULTS } from "./lines.ts";
import { LOST_TAIL } from "./lost-tail.ts";

export const FAULTS: readonly Fault[] = [
  ...CRASHES,
  ...LINE_FAULTS,
  ...WRONG_CLOCKS,
  ...FULL_DISK,
  LOST_TAIL,
  ...BUS_FAULTS,
];

/**
 * Faults without end, as they are to be inflicted at the same time: first each by itself, in the seed's order, then pairs.
 * @throws Error when none has a name like `only`
 */
export function* deal(random: Random, only?: string): Generator<readonly Fault[], never> {
  const faults = FAULTS.filter(
    ({ name }) => only === undefined || only.split(",").some((part) => name.includes(part.trim())),
  );
  if (faults.length === 0)
    throw new Error(
      `No fault is called like "${only}". There are:\n${FAULTS.map(({ name }) => `  ${name}`).join("\n")}`,
    );
  for (const fault of random.shuffle(faults)) yield [fault];
  for (;;) {
    const [first, ...others] = random.shuffle(faults);
    const second = others.find(({ touches }) => touches !== first?.touches);
    yield [first, second].filter((fault) => fault !== undefined);
  }
}
