import { EVENTS, parseEvent, STREAMS } from "@gatehouse/contracts";
import { createAsyncApiDocument } from "@gatehouse/contracts/asyncapi";
import specs from "@asyncapi/specs";
import { Ajv, type AnySchema } from "ajv";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const document = createAsyncApiDocument();
const subjects = Object.keys(EVENTS);
const FILE = new URL("../../../../docs/asyncapi.json", import.meta.url);

/** Not strict: AsyncAPI's own schema has keywords outside JSON Schema. */
function createValidator(): Ajv {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  return ajv;
}

/** Returns every `$ref` in a JSON value. */
function referencesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" ? [inner] : referencesIn(inner),
  );
}

function resolve(reference: string): unknown {
  const path = reference.replace("#/", "").split("/");
  return path.reduce<any>((value, part) => value?.[part], document);
}

describe("the AsyncAPI document", () => {
  it("is valid AsyncAPI 3.0", () => {
    const isValid = createValidator().compile(specs.schemasWithoutId["3.0.0"] as AnySchema);
    expect([isValid(document), isValid.errors]).toEqual([true, null]);
    expect(isValid({ ...document, channels: { broken: { address: 1 } } })).toBe(false);
  });

  it("is committed as it is generated (`pnpm check --fix` writes it)", () => {
    expect(JSON.parse(readFileSync(FILE, "utf8"))).toEqual(document);
  });

  it("has the target of every reference", () => {
    const references = referencesIn(document);
    expect(references.length).toBeGreaterThan(subjects.length);
    expect(references.filter((reference) => resolve(reference) === undefined)).toEqual([]);
  });

  it.each(subjects)("has a channel, a message and both operations of %s", (subject) => {
    expect(document.channels[subject]).toMatchObject({ address: subject });
    expect(document.components.messages[subject]).toMatchObject({ name: subject });
    const source = subject.split(".")[0];
    expect(document.operations[`${subject}.send`]).toMatchObject({ action: "send", tags: [{ name: source }] });
    expect(document.operations[`${subject}.receive`]).toMatchObject({ action: "receive" });
  });

  it.each(subjects)("has an example of %s that is valid by the document and by the services", (subject) => {
    const ajv = createValidator();
    ajv.addSchema({ $id: "events", ...document });
    const { examples } = document.components.messages[subject] ?? {};
    expect(examples).toHaveLength(1);
    for (const { headers, payload } of examples ?? []) {
      expect(parseEvent(payload).type).toBe(subject);
      for (const [part, value] of Object.entries({ headers, payload })) {
        const isValid = ajv.compile({ $ref: `events#/components/messages/${subject}/${part}` });
        expect([isValid(value), isValid.errors]).toEqual([true, null]);
      }
    }
  });

  it("accepts additional fields and rejects an event without a required field", () => {
    const ajv = createValidator();
    ajv.addSchema({ $id: "events", ...document });
    const isValid = ajv.compile({ $ref: "events#/components/messages/user.deleted/payload" });
    const payload = document.components.messages["user.deleted"]?.examples[0]?.payload ?? { data: {} };
    expect(isValid({ ...payload, dataschema: "x", data: { ...payload.data, by: "self" } })).toBe(true);
    expect(isValid({ ...payload, data: {} })).toBe(false);
    expect(isValid({ ...payload, type: "user.restored" })).toBe(false);
    expect(isValid({ ...payload, time: "yesterday" })).toBe(false);
  });

  it("has the stream of each channel and its retention", () => {
    const streams = document["x-jetstream-streams"];
    expect(streams.map(({ name, max_age_seconds }) => [name, max_age_seconds / 86_400])).toEqual([
      ["AUTH_EVENTS", 7],
      ["USER_EVENTS", 7],
      ["DEAD_LETTERS", 30],
    ]);
    for (const channel of Object.values(document.channels)) {
      const stream = Object.values(STREAMS).find(({ name }) => name === channel["x-jetstream-stream"]);
      expect(stream?.subjects).toEqual([`${channel.address.split(".")[0]}.>`]);
    }
  });
});
