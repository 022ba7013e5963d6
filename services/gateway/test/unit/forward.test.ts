import { UpstreamError } from "@gatehouse/upstream";
import { describe, expect, it } from "vitest";
import { upstreamError } from "../../src/services/forwarding/forward.ts";

const systemError = (fields: object) => Object.assign(new Error("connect 10.0.0.1:8001"), fields);

describe("upstreamError", () => {
  it.each([
    ["ECONNREFUSED", "ServiceUnavailable", 503],
    ["UND_ERR_HEADERS_TIMEOUT", "GatewayTimeout", 504],
    ["UND_ERR_SOCKET", "BadGateway", 502],
    ["UND_ERR_INVALID_ARG", "BadRequest", 400],
  ] as const)("turns %s into %s without an address", (reason, code, status) => {
    const error = upstreamError(new UpstreamError([systemError({ code: reason })]));
    expect(error).toMatchObject({ code, status });
    expect(error.detail).not.toContain("10.0.0.1");
    expect(error.retryAfter).toBe(code === "ServiceUnavailable" ? 1 : undefined);
  });
});
