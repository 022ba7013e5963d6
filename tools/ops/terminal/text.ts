/** Text of others as a terminal may show it: no control characters, which could move the cursor or hide what follows. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, "?");
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
] as const;

/** `3d`, `5h`, `12m`, `40s`: so long, in its largest whole unit. */
export function briefAge(milliseconds: number): string {
  const unit = UNITS.find(([, length]) => milliseconds >= length);
  return unit === undefined
    ? `${Math.max(0, Math.floor(milliseconds / 1_000))}s`
    : `${Math.floor(milliseconds / unit[1])}${unit[0]}`;
}
