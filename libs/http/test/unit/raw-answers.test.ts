import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { createClientErrorHandler } from "../../src/errors/raw-answers.ts";

const refuse = createClientErrorHandler({ info: () => {} });
const failure = (code: string) => Object.assign(new Error(code), { code });
const written = (socket: PassThrough) => String((socket.read() as Buffer | null) ?? "");

describe("connection errors", () => {
  test.each([
    ["HPE_HEADER_OVERFLOW", "431 Request Header Fields Too Large", "PayloadTooLarge"],
    ["HPE_CHUNK_EXTENSIONS_OVERFLOW", "413 Payload Too Large", "PayloadTooLarge"],
    ["HPE_INVALID_METHOD", "404 Not Found", "ResourceNotFound"],
    ["ERR_HTTP_REQUEST_TIMEOUT", "408 Request Timeout", "BadRequest"],
    ["HPE_INVALID_CONSTANT", "400 Bad Request", "BadRequest"],
  ])("answers %s with %s", (code, status, type) => {
    const socket = new PassThrough();
    refuse(failure(code), socket);
    const answer = written(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status}\r\n`));
    expect(answer).toContain(`"type":"${type}"`);
    expect(socket.writableEnded).toBe(true);
    socket.destroy();
  });

  test("destroys a reset connection", () => {
    const socket = new PassThrough();
    refuse(failure("ECONNRESET"), socket);
    expect([socket.destroyed, written(socket)]).toEqual([true, ""]);
  });

  test("destroys a connection that is not writable", () => {
    const socket = new PassThrough();
    socket.end();
    refuse(failure("HPE_INVALID_METHOD"), socket);
    expect(socket.destroyed).toBe(true);
  });

  test("destroys a connection in the middle of an answer, which a second answer would corrupt", () => {
    const pending = { headersSent: true, req: { complete: false } };
    const socket = Object.assign(new PassThrough(), { _httpMessage: pending });
    refuse(failure("HPE_INVALID_CHUNK_SIZE"), socket);
    expect([socket.destroyed, written(socket)]).toEqual([true, ""]);
  });

  test("answers a connection once", () => {
    const socket = new PassThrough();
    refuse(failure("HPE_HEADER_OVERFLOW"), socket);
    refuse(failure("HPE_HEADER_OVERFLOW"), socket);
    expect(written(socket).match(/HTTP\/1\.1/g)).toHaveLength(1);
    socket.destroy();
  });
});
