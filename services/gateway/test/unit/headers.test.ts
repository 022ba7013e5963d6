import { describe, expect, it } from "vitest";
import { requestHeaders } from "../../src/services/forwarding/request-headers.ts";
import { cleanResponseHeaders } from "../../src/services/forwarding/response-headers.ts";

describe("the headers of a forwarded request", () => {
  it("keep the client's own headers and drop reserved ones", () => {
    const headers = requestHeaders(
      {
        authorization: "Bearer x",
        cookie: "refresh_token=y",
        accept: "application/json",
        "x-custom": "1",
        "keep-alive": "timeout=5",
        "transfer-encoding": "chunked",
        te: "trailers",
        upgrade: "h2c",
        expect: "100-continue",
        "content-length": "3",
        host: "api.example.com",
        forwarded: "for=1.2.3.4",
        "x-forwarded-for": "1.2.3.4",
        "x-forwarded-prefix": "/x",
        "x-real-ip": "1.2.3.4",
        "x-internal-user": "root",
        "x-original-url": "/internal/accounts",
        "x-http-method-override": "DELETE",
        "x-correlation-id": "theirs",
      },
      { "x-forwarded-for": "10.0.0.9", "x-correlation-id": "ours" },
    );
    expect(headers).toEqual({
      authorization: "Bearer x",
      cookie: "refresh_token=y",
      accept: "application/json",
      "x-custom": "1",
      "x-forwarded-for": "10.0.0.9",
      "x-correlation-id": "ours",
    });
  });
});

describe("the headers of a response", () => {
  it("keep cookies and drop hop-by-hop headers and server names", () => {
    expect(
      cleanResponseHeaders({
        "set-cookie": ["a=1", "b=2"],
        "content-type": "application/json",
        connection: "close",
        "keep-alive": "timeout=72",
        server: "auth-7f",
        "x-powered-by": "something",
      }),
    ).toEqual({ "set-cookie": ["a=1", "b=2"], "content-type": "application/json" });
  });

  it("have no internal address in a redirect", () => {
    expect(cleanResponseHeaders({ location: "http://10.0.0.1:8001/v1/users/me?x=1" })).toEqual({
      location: "/v1/users/me?x=1",
    });
    expect(cleanResponseHeaders({ location: "/v1/users/me" })).toEqual({ location: "/v1/users/me" });
  });
});
