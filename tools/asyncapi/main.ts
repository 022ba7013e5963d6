// `pnpm asyncapi`: docs/asyncapi.json from the events' schemas. See --help.
import { createAsyncApiDocument } from "@gatehouse/contracts/asyncapi";
import { runGenerator } from "../check/generate/generated-files.ts";

await runGenerator({
  name: "asyncapi",
  what: "docs/asyncapi.json, the AsyncAPI 3.0 document of all events, from their schemas in libs/contracts",
  source: "the schemas of libs/contracts",
  files: () => new Map([["docs/asyncapi.json", `${JSON.stringify(createAsyncApiDocument(), null, 2)}\n`]]),
});
