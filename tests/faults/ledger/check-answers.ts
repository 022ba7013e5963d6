import { traceOfEntry, traceOfEvent, type Trace } from "./act-of-event.ts";
import { type Evidence, groupBy, writtenEvents } from "./evidence.ts";

const nameOf = ({ act, key }: Trace) => `${act} of ${key}`;

/**
 * Holds what clients were told against what was written: of each act at least as many as were acknowledged, and at most those and
 * the unanswered ones, which may or may not have been carried out. What was refused, and what nobody asked for, is not there.
 * @param rootId the first admin's, whose account and sessions no client has asked for
 */
export function checkAnswers(evidence: Evidence, rootId: string): string[] {
  const asked = groupBy(
    evidence.journal.flatMap((entry) => {
      const trace = traceOfEntry(entry);
      return trace ? [{ name: nameOf(trace), outcome: entry.outcome }] : [];
    }),
    ({ name }) => name,
  );
  const written = groupBy(
    writtenEvents(evidence).flatMap(({ event }) => {
      const trace = event.subject === rootId ? undefined : traceOfEvent(event);
      return trace ? [{ name: nameOf(trace), id: event.id }] : [];
    }),
    ({ name }) => name,
  );
  const wrong: string[] = [];
  for (const name of new Set([...asked.keys(), ...written.keys()])) {
    const requests = asked.get(name) ?? [];
    const done = requests.filter(({ outcome }) => outcome === "done").length;
    const open = requests.filter(({ outcome }) => outcome === "unanswered").length;
    const events = written.get(name)?.length ?? 0;
    if (events < done) wrong.push(`${name}: acknowledged ${done} times, written ${events} times`);
    if (events > done + open)
      wrong.push(`${name}: written ${events} times, asked for ${done} (acknowledged) and ${open} times (unanswered)`);
  }
  return wrong;
}
