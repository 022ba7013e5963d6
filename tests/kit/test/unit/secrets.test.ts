import { assertNoSecrets, rememberSecret } from "@gatehouse/test-kit";
import { readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";

rememberSecret("a password", "Correct-Horse-1");
rememberSecret("a person's name", "Ada Lovelace");

/** Returns the error for the lines, and the content of its file, which is removed. */
function complaintOf(lines: string[]): { message: string; left: string } {
  try {
    assertNoSecrets([
      { name: "innocent", lines: ["nothing"] },
      { name: "auth", lines },
    ]);
  } catch (error) {
    const { message } = error as Error;
    const file = /(\/.*auth\.log):/.exec(message)?.[1] ?? "";
    const left = readFileSync(file, "utf8");
    rmSync(dirname(file), { recursive: true });
    return { message, left };
  }
  return { message: "", left: "" };
}

const TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTk3In0.c2lnbmF0dXJl";

describe("assertNoSecrets finds", () => {
  test.each([
    ["an access token", `{"authorization":"Bearer ${TOKEN}"}`],
    ["an access token", `the payload alone: ${TOKEN.slice(0, TOKEN.lastIndexOf("."))}`],
    [
      "a refresh token, or a key of 256 bits",
      `{"cookie":"refresh_token=Zk3xW0_7v-Tq9LrB2cNfYh8sJpKdUaEgMiOoXwQz1A4; Path=/"}`,
    ],
    ["a password hash", String.raw`{"detail":"$argon2id$v=19$m=8192,t=1,p=1$c2FsdA$aGFzaA"}`],
    ["a private key", "-----BEGIN EC PRIVATE KEY-----"],
    ["a password in a URL", `cannot reach postgres://gatehouse_auth:pw@db:5432/gatehouse`],
    ["a password in a URL", `cannot reach redis://:pw@cache:6379`],
    ["an email", `Key (email)=(ada+1@mail.example.com) already exists`],
    ["a password", `{"body":{"password":"Correct-Horse-1"}}`],
    ["a person's name", `{"full_name":"Ada Lovelace"}`],
  ])("%s and names file, line and kind without the secret", (kind, line) => {
    const { message, left } = complaintOf(["first", line]);
    expect(message).toMatch(/^secrets were written:\n\/\S*auth\.log:2 has [^\n]+$/);
    expect(message.endsWith(kind)).toBe(true);
    expect(left).toBe(`first\n${line}\n`);
  });

  test("several kinds and names each", () => {
    const { message } = complaintOf([`Correct-Horse-1 of Ada Lovelace`, "fine", "ada@example.com"]);
    expect(
      message
        .split("\n")
        .map((line) => line.replace(/^.*\.log:/, ""))
        .slice(1),
    ).toEqual(["1 has a password", "1 has a person's name", "3 has an email"]);
  });
});

test.each([
  `{"level":"info","correlation_id":"0197f7a0-0000-7000-8000-000000000000","trace_id":"0af7651916cd43dd8448eb211c80319c","route":"/v1/users/:id"}`,
  "    at write (/repo/node_modules/.pnpm/pino@10.4.0/node_modules/pino/lib/proto.js:215:10)",
  "    at run (file:///repo/node_modules/.pnpm/vitest@5.1.1_@opentelemetry+api@1.10.0_@types+node@24.19.2/dist/index.js:1:1)",
  "user listens on http://127.0.0.1:8002",
  "cannot reach nats://auth@127.0.0.1:4222",
  "a password hash took long; somebody@localhost",
])("assertNoSecrets accepts a line without secrets: %s", (line) => expect(complaintOf([line]).message).toBe(""));

test("assertNoSecrets ignores values that are too short to be distinguished", () => {
  rememberSecret("a person's name", "Ada");
  expect(complaintOf(["Adam"]).message).toBe("");
});
