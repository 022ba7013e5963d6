import { type ConnectionOptions, createInbox, type NatsConnection } from "@nats-io/nats-core";
import type { NatsConnectionImpl } from "@nats-io/nats-core/internal";

/**
 * Returns the client's options for a URL, or for several comma-separated ones. The client itself ignores the scheme and the
 * credentials in a URL.
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

/** Each user receives replies under its own prefix, so that a server can deny it the replies to others. */
function credentials(url: URL): Pick<ConnectionOptions, "user" | "pass" | "token" | "inboxPrefix"> {
  const user = decodeURIComponent(url.username);
  if (url.password === "") return { token: user };
  return {
    user,
    pass: decodeURIComponent(url.password),
    ...(SUBJECT_TOKEN.test(user) && { inboxPrefix: `_INBOX.${user}` }),
  };
}

/** A user name that is one token of a subject. */
const SUBJECT_TOKEN = /^[\w-]+$/;

/** Returns a new reply subject under the connection's own prefix, which its public type does not expose. */
export function createReplyInbox(connection: NatsConnection): string {
  return createInbox((connection as NatsConnectionImpl).options.inboxPrefix);
}
