import { AppError } from "@gatehouse/errors";
import { isUtf8 } from "node:buffer";
import type { App } from "../app.ts";

/**
 * Makes JSON the only body that a route accepts, unless its service adds another type. An empty body counts as no body, whatever
 * Content-Type says: clients set it on every request. Rejects `__proto__` and `constructor.prototype`.
 */
export function addJsonParser(app: App): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>("application/json", { parseAs: "buffer" }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else if (!isUtf8(body)) done(new AppError("BadRequest", { detail: "The body is not UTF-8" }));
    else void parse(request, body.toString("utf8"), done);
  });
}
