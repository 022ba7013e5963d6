// The HEALTHCHECK of an image: exits with 0 when the service in this container answers 200. Usage: healthcheck.ts [path], default /health.
import { get } from "node:http";

const TIMEOUT_MS = 3_000;

const port = ["GATEWAY_PORT", "AUTH_PORT", "USER_PORT"].map((name) => process.env[name]).find(Boolean);
const request = get(
  { host: "127.0.0.1", port, path: process.argv[2] ?? "/health", timeout: TIMEOUT_MS },
  (response) => {
    process.exit(response.statusCode === 200 ? 0 : 1);
  },
);
request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
request.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
