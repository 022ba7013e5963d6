import type { Random } from "@gatehouse/test-kit/system";
import type { System } from "../system/system.ts";
import type { Mischief } from "./mischief.ts";

interface FaultContext {
  readonly system: System;
  readonly random: Random;
  readonly mischief: Mischief;
  /** Lets the load run on for so many milliseconds with things as they are. */
  readonly hold: (least: number, most: number) => Promise<void>;
}

/** Something that goes wrong. Whoever runs it finds everything in its place again afterwards; recovery is the product's. */
export interface Fault {
  readonly name: string;
  /** What it takes away or alters; two faults that touch the same cannot be at the same time. */
  readonly touches: string;
  run(context: FaultContext): Promise<void>;
}
