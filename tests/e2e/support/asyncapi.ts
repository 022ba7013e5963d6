import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";

interface Document {
  readonly components: { readonly messages: Readonly<Record<string, object>> };
}

/** What docs/asyncapi.json has against a message, part by part: nothing when it is as described. */
export function createMessageCheck(): (subject: string, headers: object, payload: unknown) => string[] {
  const document = JSON.parse(
    readFileSync(new URL("../../../docs/asyncapi.json", import.meta.url), "utf8"),
  ) as Document;
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: "events", ...document });
  return (subject, headers, payload) => {
    if (!Object.hasOwn(document.components.messages, subject)) return [`${subject} is not described`];
    return Object.entries({ headers, payload }).flatMap(([part, value]) => {
      const reference = `events#/components/messages/${subject}/${part}`;
      return ajv.validate({ $ref: reference }, value) ? [] : [`${subject} ${part}: ${ajv.errorsText()}`];
    });
  };
}
