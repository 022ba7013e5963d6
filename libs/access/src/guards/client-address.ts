import type { FastifyRequest } from "fastify";
import ipaddr from "ipaddr.js";

/** Who is at the other end, as Fastify's `trustProxy` decides; an IPv4 address mapped into IPv6 reads as IPv4. */
export function clientAddress(request: Pick<FastifyRequest, "ip">): string {
  const { ip } = request;
  return ipaddr.isValid(ip) ? ipaddr.process(ip).toString() : ip;
}
