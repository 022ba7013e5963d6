import { describe, expect, it } from "vitest";
import { failureOf, upstreamError } from "../../src/services/forwarding/upstream-failure.ts";

const systemError = (fields: object) => Object.assign(new Error("connect 10.0.0.1:8001"), fields);

describe("a failure of an upstream", () => {
  it.each([
    ["a refused connection", systemError({ code: "ECONNREFUSED", syscall: "connect" }), "unreached"],
    ["a name that does not resolve", systemError({ code: "ENOTFOUND", syscall: "getaddrinfo" }), "unreached"],
    ["a reset while connecting", systemError({ code: "ECONNRESET", syscall: "connect" }), "unreached"],
    ["a connection that does not come about", systemError({ code: "UND_ERR_CONNECT_TIMEOUT" }), "unreached"],
    ["every address refused", new AggregateError([systemError({ code: "ECONNREFUSED" })]), "unreached"],
    ["no headers in time", systemError({ code: "UND_ERR_HEADERS_TIMEOUT" }), "timeout"],
    ["a reset under the request", systemError({ code: "ECONNRESET", syscall: "read" }), "broken"],
    ["a closed socket", systemError({ code: "UND_ERR_SOCKET" }), "broken"],
    ["an answer that is no HTTP", systemError({ code: "HPE_INVALID_CONSTANT" }), "broken"],
    ["a header that cannot be written", systemError({ code: "UND_ERR_INVALID_ARG" }), "invalid"],
  ])("is told from its error: %s", (_what, error, failure) => {
    expect(failureOf(error)).toBe(failure);
  });

  it.each([
    ["unreached", "ServiceUnavailable", 503],
    ["timeout", "GatewayTimeout", 504],
    ["broken", "BadGateway", 502],
    ["invalid", "BadRequest", 400],
  ] as const)("%s is answered as %s, without an address", (failure, code, status) => {
    const error = upstreamError(failure, systemError({ code: "ECONNREFUSED" }));
    expect(error).toMatchObject({ code, status });
    expect(error.detail).not.toContain("10.0.0.1");
    expect(error.retryAfter).toBe(code === "ServiceUnavailable" ? 1 : undefined);
  });
});
