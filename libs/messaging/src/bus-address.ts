import type { ConnectionOptions } from "@nats-io/nats-core";

/**
 * Splits the URL (or the comma-separated URLs) that operators write into what the client takes, which
 * looks at neither the scheme nor the credentials in it.
 */
export function busAddress(
  url: string,
): Pick<ConnectionOptions, "servers" | "user" | "pass" | "token" | "inboxPrefix" | "tls"> {
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

/** A user hears answers under its own prefix, so that a server can keep each user from the answers to others. */
function credentials(url: URL): Pick<ConnectionOptions, "user" | "pass" | "token" | "inboxPrefix"> {
  const user = decodeURIComponent(url.username);
  if (url.password === "") return { token: user };
  return { user, pass: decodeURIComponent(url.password), ...(PLAIN.test(user) && { inboxPrefix: `_INBOX.${user}` }) };
}

/** What is one token of a subject whatever it means elsewhere. */
const PLAIN = /^[\w-]+$/;
