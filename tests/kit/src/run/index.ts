export { abortBySignal, countOption, reportCommand, type Report, seedOption } from "./command.ts";
export { describeTimes, listOf, machine, quantile, summarize } from "./figures.ts";
export { inParallel, startOpenLoop } from "./load.ts";
export { note, show, showCount } from "./progress.ts";
export { createRandom, type Random } from "./random.ts";
export { createTally, type Tally } from "./tally.ts";
