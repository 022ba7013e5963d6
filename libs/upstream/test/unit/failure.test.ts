import { describe, expect, it } from "vitest";
import { failureOf, UpstreamError } from "@gatehouse/upstream";

const systemError = (fields: object) => Object.assign(new Error("connect 10.0.0.1:8001"), fields);

describe("failureOf", () => {
  it.each([
    ["a refused connection", systemError({ code: "ECONNREFUSED", syscall: "connect" }), "unreached"],
    ["a name that does not resolve", systemError({ code: "ENOTFOUND", syscall: "getaddrinfo" }), "unreached"],
    ["a reset while connecting", systemError({ code: "ECONNRESET", syscall: "connect" }), "unreached"],
    ["no connection in time", systemError({ code: "UND_ERR_CONNECT_TIMEOUT" }), "unreached"],
    ["every address refused", new AggregateError([systemError({ code: "ECONNREFUSED" })]), "unreached"],
    ["no headers in time", systemError({ code: "UND_ERR_HEADERS_TIMEOUT" }), "timeout"],
    ["a reset under the request", systemError({ code: "ECONNRESET", syscall: "read" }), "broken"],
    ["a closed socket", systemError({ code: "UND_ERR_SOCKET" }), "broken"],
    ["a response that is not HTTP", systemError({ code: "HPE_INVALID_CONSTANT" }), "broken"],
    ["a header that cannot be written", systemError({ code: "UND_ERR_INVALID_ARG" }), "invalid"],
    ["no response before the signal's timeout", new DOMException("late", "TimeoutError"), "timeout"],
  ])("classifies %s", (_what, error, failure) => {
    expect(failureOf(error)).toBe(failure);
  });
});

describe("UpstreamError", () => {
  const refused = systemError({ code: "ECONNREFUSED", syscall: "connect" });
  const closed = systemError({ code: "UND_ERR_SOCKET" });

  it("has the failure of the last attempt", () => {
    expect(new UpstreamError([closed, refused]).failure).toBe("unreached");
  });

  it("was sent when one attempt reached a replica", () => {
    expect(new UpstreamError([refused, refused]).wasSent).toBe(false);
    expect(new UpstreamError([closed, refused]).wasSent).toBe(true);
  });
});
