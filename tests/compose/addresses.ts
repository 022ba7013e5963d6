import { type ComposeProject, containerOf, inspect } from "@gatehouse/test-kit/compose";
import { call, PASSWORD, register } from "../e2e/support/api.ts";
import { url } from "./project.ts";

interface Sessions {
  readonly items: readonly { readonly ip_address: string }[];
}

/** Logs in so many times with an invented X-Forwarded-For. @returns the addresses that auth has noted, each once */
export async function addressesOfLogins(times: number): Promise<string[]> {
  const { email } = await register(url);
  const headers = { "x-forwarded-for": "203.0.113.7" };
  const form = { username: email, password: PASSWORD };
  const login = () => call(url, "POST", "/v1/auth/login", { headers, form });
  const [first] = await Promise.all(Array.from({ length: times }, login));
  const token = String(first?.body["access_token"]);
  const { body } = await call<Sessions>(url, "GET", "/v1/auth/sessions", { token });
  return [...new Set(body.items.map(({ ip_address }) => ip_address))];
}

/** The engine's own addresses on the networks of a service: from one of them come connections to a published port. */
export async function engineAddresses(project: ComposeProject, service: string): Promise<string[]> {
  const container = await containerOf(project, service);
  const addresses = await inspect(container, "{{range .NetworkSettings.Networks}}{{.Gateway}} {{end}}");
  return addresses.split(" ").filter(Boolean);
}
