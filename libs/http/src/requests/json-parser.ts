import { AppError } from "@gatehouse/errors";
import { isUtf8 } from "node:buffer";
import type { App } from "../app.ts";

/**
 * JSON is the only body that a route takes unless its service adds another. No body at all is none, whatever the
 * Content-Type says (clients set it on every request); `__proto__` and `constructor.prototype` are refused.
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
