import { quantile } from "../support/report.ts";
import type { Round } from "./throughput.ts";

/** Throughput against that of others: of rounds that were next to each other, so that what comes and goes on the machine is in both. */
export function ratioOfRates(rounds: readonly Round[], others: readonly Round[]): number {
  return median(rounds.map(({ rate }, index) => rate / (others[index]?.rate ?? Number.NaN)));
}

export function count(rounds: readonly Round[]): { answered: number; failed: number } {
  const sum = (figure: "answered" | "failed") => rounds.reduce((total, round) => total + round[figure], 0);
  return { answered: sum("answered"), failed: sum("failed") };
}

export function describeRounds(rounds: readonly Round[]): string {
  const rate = median(rounds.map((round) => round.rate));
  const cpu = median(rounds.map((round) => round.cpuMicrosecondsEach));
  return `${rate.toFixed(0)}/s, ${cpu.toFixed(0)} µs of CPU a request in gateway and user service`;
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
