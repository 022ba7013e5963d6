import { z } from "zod";
import { EVENT_DATA, type EventSubject } from "../events/catalog.ts";
import { eventEnvelope } from "../events/envelope.ts";
import { type StreamDefinition, STREAMS } from "../events/streams.ts";
import { EVENT_NOTES, EXAMPLE_IDS } from "./event-notes.ts";

/** Grows when the contract of events does: the second number with a new event or field. */
const VERSION = "1.0.0";

const CONTENT_TYPE = "application/cloudevents+json";
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const EXAMPLE_EVENT_ID = "0199a1c0-7a00-7000-8000-0000000000ff";

const DESCRIPTION = `CloudEvents 1.0 (JSON, structured mode) on NATS JetStream. Delivery is at least once and in no promised order: tell
repetitions by \`id\`, order one user's changes by \`version\` within one \`source\`. Fields are only added, so what you do not know, ignore;
the same goes for subjects. How to consume: docs/guide/consuming-events.md.`;

/**
 * The AsyncAPI 3.0 document of every event, made of the schemas that both ends validate with. Plain JSON.
 */
export function createAsyncApiDocument() {
  const subjects = Object.keys(EVENT_DATA) as EventSubject[];
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Gatehouse events",
      version: VERSION,
      description: DESCRIPTION.replaceAll("\n", " "),
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    defaultContentType: CONTENT_TYPE,
    servers: { nats: SERVER },
    channels: Object.fromEntries(subjects.map((subject) => [subject, channel(subject)])),
    operations: Object.fromEntries(
      subjects.flatMap((subject) => [
        [`${subject}.send`, operation(subject, "send")],
        [`${subject}.receive`, operation(subject, "receive")],
      ]),
    ),
    components: {
      messages: Object.fromEntries(subjects.map((subject) => [subject, message(subject)])),
      schemas: {
        Envelope: { description: "Every event; its `data` depend on its `type`.", ...jsonSchema(eventEnvelope) },
        Headers: HEADERS,
        ...Object.fromEntries(subjects.map((subject) => [`${subject}.data`, jsonSchema(EVENT_DATA[subject])])),
      },
      securitySchemes: { user: { type: "userPassword", description: "A user of the NATS server who may only read." } },
    },
    "x-jetstream-streams": Object.values(STREAMS).map(streamFacts),
  };
}

const SERVER = {
  host: "{host}:{port}",
  protocol: "nats",
  description: "A NATS server with JetStream, 2.9 or later. Where it has users, a consumer is given one of its own.",
  variables: { host: { default: "127.0.0.1" }, port: { default: "4222" } },
  security: [reference("components", "securitySchemes", "user")],
};

const HEADERS = {
  type: "object",
  description: "NATS headers, compared without regard to case.",
  properties: {
    "Nats-Msg-Id": {
      type: "string",
      description:
        "The event's id; another one when a dead letter is replayed, and for watermarks `watermark-<second>`.",
    },
    "content-type": { const: CONTENT_TYPE },
    "Gatehouse-Replay-For": {
      type: "string",
      description: "Of a replayed dead letter: the durable that it is meant for. Others may acknowledge it unread.",
    },
    traceparent: { type: "string", description: "W3C Trace Context of the request that caused the event; as in it." },
  },
  required: ["Nats-Msg-Id", "content-type"],
};

function channel(subject: EventSubject) {
  return {
    address: subject,
    summary: EVENT_NOTES[subject].summary,
    servers: [reference("servers", "nats")],
    messages: { [subject]: reference("components", "messages", subject) },
    "x-jetstream-stream": STREAMS[sourceOf(subject)].name,
  };
}

function operation(subject: EventSubject, action: "send" | "receive") {
  return {
    action,
    channel: reference("channels", subject),
    messages: [reference("channels", subject, "messages", subject)],
    tags: [{ name: action === "send" ? sourceOf(subject) : "consumer" }],
  };
}

function message(subject: EventSubject) {
  const { summary, example } = EVENT_NOTES[subject];
  const properties = {
    type: { const: subject },
    source: { const: sourceOf(subject) },
    data: reference("components", "schemas", `${subject}.data`),
  };
  return {
    name: subject,
    summary,
    contentType: CONTENT_TYPE,
    correlationId: { location: "$message.payload#/correlationid" },
    headers: reference("components", "schemas", "Headers"),
    payload: {
      allOf: [
        reference("components", "schemas", "Envelope"),
        { type: "object", properties, required: Object.keys(properties) },
      ],
    },
    examples: [exampleOf(subject, example)],
  };
}

/** As the service would publish it. A watermark is caused by no request and is about no user. */
function exampleOf(subject: EventSubject, data: object) {
  const isOfRequest = subject !== "auth.watermark" && subject !== "auth.key.retired";
  const userId = "user_id" in data ? String(data.user_id) : undefined;
  const headers = {
    "Nats-Msg-Id": subject === "auth.watermark" ? "watermark-2026-01-01T00:00:00" : EXAMPLE_EVENT_ID,
    "content-type": CONTENT_TYPE,
    ...(isOfRequest && { traceparent: TRACEPARENT }),
  };
  const payload = {
    specversion: "1.0",
    id: EXAMPLE_EVENT_ID,
    source: sourceOf(subject),
    type: subject,
    subject: userId ?? ("kid" in data ? String(data.kid) : sourceOf(subject)),
    time: "2026-01-01T00:00:00.000Z",
    datacontenttype: "application/json",
    ...(isOfRequest && { correlationid: "0199a1c0-7a00-7000-8000-0000000000cc", traceparent: TRACEPARENT }),
    ...(userId !== undefined && { actor: EXAMPLE_IDS.actor, version: 2 }),
    data,
  };
  return { name: subject, headers, payload };
}

function streamFacts({ name, subjects, maxAge, duplicateWindow }: StreamDefinition) {
  return {
    name,
    subjects,
    storage: "file",
    retention: "limits",
    discard: "old",
    max_age_seconds: maxAge / 1_000,
    duplicate_window_seconds: duplicateWindow / 1_000,
  };
}

/** A service publishes what begins with its name, and no other. */
function sourceOf(subject: EventSubject): "auth" | "user" {
  return subject.startsWith("auth.") ? "auth" : "user";
}

/** Draft 7, which AsyncAPI takes without being told; as a reader sees it: fields that it does not know are allowed. */
function jsonSchema(schema: z.ZodType): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
  return rest;
}

/** A JSON pointer (RFC 6901) into the document. */
function reference(...path: readonly string[]): { readonly $ref: string } {
  return { $ref: `#/${path.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/")}` };
}
