import type { Standing } from "../../repositories/sessions/standing.repository.ts";

/** Whether a token of this version still holds. */
export function stands({ sessionEnded, tokenVersion, mayEnter, keyStands }: Standing, version: number): boolean {
  return keyStands && mayEnter && !sessionEnded && tokenVersion === version;
}
