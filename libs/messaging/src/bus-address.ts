import type { ConnectionOptions } from "@nats-io/nats-core";

/**
 * Splits the URL (or the comma-separated URLs) that operators write into what the client takes, which
 * looks at neither the scheme nor the credentials in it.
 */
export function busAddress(url: string): Pick<ConnectionOptions, "servers" | "user" | "pass" | "token" | "tls"> {
  const urls = url
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => new URL(part.includes("://") ? part : `nats://${part}`));
  const first = urls.find((one) => one.username !== "");
  return {
    servers: urls.map((one) => `${one.hostname}:${one.port || "4222"}`),
    ...(first && credentials(first)),
    ...(urls.some((one) => one.protocol === "tls:") && { tls: {} }),
  };
}

function credentials(url: URL): Pick<ConnectionOptions, "user" | "pass" | "token"> {
  const user = decodeURIComponent(url.username);
  return url.password === "" ? { token: user } : { user, pass: decodeURIComponent(url.password) };
}
