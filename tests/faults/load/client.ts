import type { Random } from "@gatehouse/test-kit/system";
import type { Answer, Request } from "./call.ts";
import { type ChangeName, type Journal, noteChange, noteComplaint } from "./journal.ts";
import type { Person } from "./person.ts";

/** What an act has to work with. */
export interface Client {
  readonly name: string;
  readonly random: Random;
  readonly journal: Journal;
  /** Asks a gateway, any of them. */
  ask(act: string, request: Request): Promise<Answer>;
  /** Asks every gateway the same at the same time. */
  askAll(act: string, request: Request): Promise<Answer[]>;
  readonly rootToken: string;
  /** A text that no other client and no other call gets. */
  unique(): string;
  /** Whom the client is at present. */
  person: Person | undefined;
}

export type Act = (client: Client, person: Person) => Promise<void>;

/** An answer that must not be, seen with nothing left open that could explain it. */
export function complain(client: Client, act: string, answer: Answer, why: string): void {
  const { status, body } = answer;
  noteComplaint(client.journal, `${client.name}: ${act} was answered ${status} ${String(body["type"] ?? "")}: ${why}`);
}

/**
 * Notes what came of a change of the client's person, which nothing that the client knows speaks against.
 * @returns whether it was done; when it was not, the person is given up
 */
export function settle(client: Client, person: Person, act: ChangeName, answer: Answer, value?: string): boolean {
  noteChange(client.journal, act, answer, { userId: person.id, value });
  if (answer.outcome === "refused") complain(client, act, answer, "nothing that is known speaks against it");
  if (answer.outcome !== "done") client.person = undefined;
  return answer.outcome === "done";
}
