import { BlockList, isIP } from "node:net";
import { z } from "zod";

const TRUE = new Set(["true", "1", "yes", "on"]);
const FALSE = new Set(["false", "0", "no", "off"]);

/** A mandatory text. */
export const text = () => z.string({ error: "is required" });

/** `true`, `1`, `yes`, `on` or their opposites, in any case. */
export const flag = (fallback: boolean) =>
  z
    .string()
    .optional()
    .transform((raw, context) => {
      const value = raw?.trim().toLowerCase();
      if (value === undefined) return fallback;
      if (TRUE.has(value)) return true;
      if (FALSE.has(value)) return false;
      context.addIssue({ code: "custom", message: "must be true or false" });
      return z.NEVER;
    });

/** A whole number from `min` to `max`; mandatory without a `fallback`. */
export const integer = ({ min, max, fallback }: { min: number; max: number; fallback?: number }) =>
  z
    .string()
    .optional()
    .transform((raw, context) => {
      if (raw === undefined && fallback !== undefined) return fallback;
      const value = /^\s*-?\d{1,15}\s*$/.test(raw ?? "") ? Number(raw) : Number.NaN;
      if (Number.isInteger(value) && value >= min && value <= max) return value;
      const wanted = `must be a whole number from ${min} to ${max}`;
      context.addIssue({ code: "custom", message: raw === undefined ? `is required and ${wanted}` : wanted });
      return z.NEVER;
    });

export const port = (fallback: number) => integer({ min: 1, max: 65_535, fallback });

/** One of `values`; mandatory without a `fallback`. */
export const choice = <const V extends readonly [string, ...string[]]>(values: V, fallback?: V[number]) => {
  const schema = z.enum(values, { error: `must be one of ${values.join(", ")}` });
  return z.preprocess((raw) => raw ?? fallback, schema);
};

/** A number from 0 to 1, where there is one. */
export const ratio = () =>
  z
    .string()
    .optional()
    .refine((raw) => raw === undefined || (/^\s*\d*\.?\d+\s*$/.test(raw) && Number(raw) <= 1), {
      error: "must be a number from 0 to 1",
    });

/** Names of exporters, comma-separated: of `names`, or `none`. */
export const exporters = (...names: readonly string[]) =>
  list().refine((items) => items.every((item) => item === "none" || names.includes(item)), {
    error: `must be comma-separated names of ${names.join(", ")}, or none`,
  });

/** Comma-separated, blanks dropped. */
export const list = () =>
  z
    .string()
    .optional()
    .transform((raw) => splitList(raw ?? ""));

/** Comma-separated addresses and CIDR networks. */
export const networks = () =>
  list().refine((items) => items.every(isNetwork), {
    error: "must be comma-separated addresses or CIDR networks such as 10.0.0.0/8",
  });

/** A URL with one of the given schemes (`postgres:`, `nats:` …). */
export const url = (...schemes: readonly string[]) =>
  text().refine((raw) => schemes.includes(schemeOf(raw)), {
    error: ({ input }) =>
      schemes.some((scheme) => String(input).startsWith(`${scheme}//`))
        ? "is no URL: characters such as / ? # @ : in a password must be percent-encoded (/ is %2F)"
        : `must be a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}`,
  });

/** One or several URLs of services, comma-separated; a slash at the end says nothing and is dropped, since paths are put behind. */
export const urls = (...schemes: readonly string[]) =>
  text()
    .transform((raw) => splitList(raw).map((item) => item.replace(/\/+$/, "")))
    .refine((items) => items.length > 0 && items.every((item) => schemes.includes(schemeOf(item))), {
      error: `must be one or several comma-separated URLs that begin with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}`,
    });

/** Where the bus is: one or several comma-separated addresses; `nats://` may be left out. */
export const busUrl = () =>
  text().refine((raw) => splitList(raw).length > 0 && splitList(raw).every(isBusUrl), {
    error:
      "must be one or several comma-separated addresses such as nats://127.0.0.1:4222 or tls://bus.example.com:4222",
  });

/** Comma-separated secrets: the first is used, all are accepted, so that they can be rotated. */
export const secrets = () =>
  text()
    .transform(splitList)
    .refine((items) => items.length > 0, { error: "is required" });

function splitList(raw: string): string[] {
  return raw
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function isBusUrl(item: string): boolean {
  const whole = item.includes("://") ? item : `nats://${item}`;
  return ["nats:", "tls:"].includes(schemeOf(whole)) && new URL(whole).hostname !== "";
}

function schemeOf(raw: string): string {
  return URL.canParse(raw) ? new URL(raw).protocol : "";
}

function isNetwork(item: string): boolean {
  const [address = "", prefix, ...rest] = item.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  if (!/^\d{1,3}$/.test(prefix)) return false;
  try {
    new BlockList().addSubnet(address, Number(prefix), version === 4 ? "ipv4" : "ipv6");
    return true;
  } catch {
    return false;
  }
}
