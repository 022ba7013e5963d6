import { STREAMS } from "@gatehouse/contracts";
import type { Random } from "@gatehouse/test-kit/run";
import { openStreams, readStream, type StoredMessage } from "@gatehouse/test-kit/system";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

const LATEST = 400;
const REPEATED_AT_ONCE = 80;
const PUBLISH_ATTEMPTS = 60;

const MALFORMED = [
  ["auth.account.updated", "this is not JSON"],
  ["auth.account.updated", '{"specversion":"1.0","type":"auth.account.updated","data":{"version":"1"}}'],
  ["auth.session.revoked", "[]"],
  ["user.profile.updated", '{"data":{"full_name":7}}'],
] as const;

/** Publishes what only a faulty publisher would, and records its message ids. */
export class BusMessages {
  readonly repeated = new Set<string>();
  readonly malformed = new Set<string>();
  readonly #url: string;

  constructor(natsUrl: string) {
    this.#url = natsUrl;
  }

  /** Publishes some of the latest events again, in another order, with new message ids. */
  async repeat(random: Random): Promise<void> {
    const events = (await this.readEvents()).filter(({ messageId }) => !this.malformed.has(messageId));
    for (const { subject, raw } of random.shuffle(events.slice(-LATEST)).slice(0, REPEATED_AT_ONCE))
      await this.#publish(subject, raw, this.repeated);
  }

  async publishMalformed(): Promise<void> {
    for (const [subject, raw] of MALFORMED) await this.#publish(subject, raw, this.malformed);
  }

  /** Returns the messages of both services' streams, without watermarks. */
  async readEvents(): Promise<StoredMessage[]> {
    const all = [...(await this.read(STREAMS.auth.name)), ...(await this.read(STREAMS.user.name))];
    return all.filter(({ subject }) => subject !== "auth.watermark");
  }

  async read(stream: string): Promise<StoredMessage[]> {
    await using nats = await openStreams(this.#url);
    return await readStream(nats.connection, stream);
  }

  /** Retries until the server has the message, so that the record of ids is complete. */
  async #publish(subject: string, raw: string, ids: Set<string>): Promise<void> {
    const msgID = `harness-${randomUUID()}`;
    ids.add(msgID);
    for (let attempt = 1; ; attempt += 1)
      try {
        await using nats = await openStreams(this.#url);
        await nats.jetstream().publish(subject, raw, { msgID, timeout: 2_000 });
        return;
      } catch (error) {
        if (attempt === PUBLISH_ATTEMPTS) throw error;
        await pause(250);
      }
  }
}
