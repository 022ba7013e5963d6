import { errorCodes } from "fastify";
import { describe, expect, test } from "vitest";
import { translateFrameworkError } from "../../src/errors/translate-framework-error.ts";

describe("translateFrameworkError", () => {
  test.each([
    [new errorCodes.FST_ERR_CTP_INVALID_JSON_BODY(), "BadRequest", 400],
    [new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH(), "BadRequest", 400],
    [new errorCodes.FST_ERR_BAD_URL("/%zz"), "BadRequest", 400],
    [new errorCodes.FST_ERR_NOT_FOUND(), "ResourceNotFound", 404],
    [new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE(), "PayloadTooLarge", 413],
    [new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(), "UnsupportedMediaType", 415],
    [Object.assign(new Error("aborted"), { code: "ECONNRESET", statusCode: 400 }), "BadRequest", 400],
  ])("translates %s", (error, code, status) => {
    expect(translateFrameworkError(error)).toMatchObject({ code, status, cause: error });
  });
});

describe("translateFrameworkError, other errors", () => {
  test.each([
    new Error("a bug"),
    new errorCodes.FST_ERR_REP_INVALID_PAYLOAD_TYPE("object"),
    Object.assign(new Error("an upstream's refusal"), { statusCode: 401 }),
    Object.assign(new Error("a driver's error"), { code: "28P01", statusCode: 400 }),
    "text",
    undefined,
  ])("does not translate %s", (error) => {
    expect(translateFrameworkError(error)).toBeUndefined();
  });
});
