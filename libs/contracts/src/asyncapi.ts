import { z } from "zod";
import { EVENTS, type EventSubject } from "./events/catalog.ts";
import { EXAMPLE_IDS } from "./events/declare-event.ts";
import { eventEnvelope } from "./events/envelope.ts";
import { type StreamDefinition, STREAMS } from "./events/streams.ts";

/** The version of the event contract. The second number grows with a new event or field. */
const VERSION = "1.0.0";

const CONTENT_TYPE = "application/cloudevents+json";
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const EXAMPLE_EVENT_ID = "0199a1c0-7a00-7000-8000-0000000000ff";

const DESCRIPTION = `CloudEvents 1.0 (JSON, structured mode) on NATS JetStream. Delivery is at least once and in any order:
detect duplicates by \`id\`, and order one user's changes by \`version\` within one \`source\`. New fields and subjects are added: ignore those
that you do not know. How to consume: docs/guide/consuming-events.md.`;

/** Returns the AsyncAPI 3.0 document of all events as plain JSON, made from the schemas that both ends validate with. */
export function createAsyncApiDocument() {
  const subjects = Object.keys(EVENTS) as EventSubject[];
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
        Envelope: { description: "Every event. The schema of `data` depends on `type`.", ...jsonSchema(eventEnvelope) },
        Headers: HEADERS,
        ...Object.fromEntries(subjects.map((subject) => [`${subject}.data`, jsonSchema(EVENTS[subject].data)])),
      },
      securitySchemes: { user: { type: "userPassword", description: "A NATS user with read-only permissions." } },
    },
    "x-jetstream-streams": Object.values(STREAMS).map(streamFacts),
  };
}

const SERVER = {
  host: "{host}:{port}",
  protocol: "nats",
  description: "A NATS server with JetStream, 2.9 or later. On a server with users, each consumer has its own.",
  variables: { host: { default: "127.0.0.1" }, port: { default: "4222" } },
  security: [reference("components", "securitySchemes", "user")],
};

const HEADERS = {
  type: "object",
  description: "NATS headers; names are case-insensitive.",
  properties: {
    "Nats-Msg-Id": {
      type: "string",
      description: "The event's id. A replayed dead letter has a new one; a watermark has `watermark-<second>`.",
    },
    "content-type": { const: CONTENT_TYPE },
    "Gatehouse-Replay-For": {
      type: "string",
      description: "On a replayed dead letter: the durable that receives it. Other durables may acknowledge it unread.",
    },
    traceparent: {
      type: "string",
      description: "W3C Trace Context of the request that caused the event, as in the event.",
    },
  },
  required: ["Nats-Msg-Id", "content-type"],
};

function channel(subject: EventSubject) {
  return {
    address: subject,
    summary: EVENTS[subject].summary,
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
  const { summary, example } = EVENTS[subject];
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

/** Returns an example message. No request causes a watermark or a key retirement, and neither is about a user. */
function exampleOf(subject: EventSubject, data: object) {
  const hasRequest = subject !== "auth.watermark" && subject !== "auth.key.retired";
  const userId = "user_id" in data ? String(data.user_id) : undefined;
  const headers = {
    "Nats-Msg-Id": subject === "auth.watermark" ? "watermark-2026-01-01T00:00:00" : EXAMPLE_EVENT_ID,
    "content-type": CONTENT_TYPE,
    ...(hasRequest && { traceparent: TRACEPARENT }),
  };
  const payload = {
    specversion: "1.0",
    id: EXAMPLE_EVENT_ID,
    source: sourceOf(subject),
    type: subject,
    subject: userId ?? ("kid" in data ? String(data.kid) : sourceOf(subject)),
    time: "2026-01-01T00:00:00.000Z",
    datacontenttype: "application/json",
    ...(hasRequest && { correlationid: "0199a1c0-7a00-7000-8000-0000000000cc", traceparent: TRACEPARENT }),
    ...(userId !== undefined && { actor: EXAMPLE_IDS.actor, version: 2 }),
    data,
  };
  return { name: subject, headers, payload };
}

function streamFacts({ name, subjects, maxAgeMs, duplicateWindowMs }: StreamDefinition) {
  return {
    name,
    subjects,
    storage: "file",
    retention: "limits",
    discard: "old",
    max_age_seconds: maxAgeMs / 1_000,
    duplicate_window_seconds: duplicateWindowMs / 1_000,
  };
}

/** A service publishes exactly the subjects that begin with its name. */
function sourceOf(subject: EventSubject): "auth" | "user" {
  return subject.startsWith("auth.") ? "auth" : "user";
}

/** Draft 7 is the default of AsyncAPI. `io: "input"` because readers accept unknown fields. */
function jsonSchema(schema: z.ZodType): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
  return rest;
}

/** Returns a JSON pointer (RFC 6901) into the document. */
function reference(...path: readonly string[]): { readonly $ref: string } {
  return { $ref: `#/${path.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/")}` };
}
