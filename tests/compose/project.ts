import { call, PASSWORD, register } from "@gatehouse/test-kit/api";
import { type ComposeProject, containerOf, inspect } from "@gatehouse/test-kit/compose";
import { variableOf } from "../e2e/support/run-elsewhere.ts";

/** The project that `pnpm test:compose` has started. */
export const project = JSON.parse(variableOf("test:compose", "COMPOSE_PROJECT")) as ComposeProject;
export const imageTag: string = variableOf("test:compose", "IMAGE_TAG");
/** The gateway, or the proxy in front of three. */
export const url: string = variableOf("test:compose", "E2E_URL");

/** Logs in with an invented X-Forwarded-For. Returns the distinct addresses that auth recorded. */
export async function addressesOfLogins(times: number): Promise<string[]> {
  const { email } = await register(url);
  const headers = { "x-forwarded-for": "203.0.113.7" };
  const form = { username: email, password: PASSWORD };
  const login = () => call(url, "POST", "/v1/auth/login", { headers, form });
  const [first] = await Promise.all(Array.from({ length: times }, login));
  const token = String(first?.body["access_token"]);
  const { body } = await call<{ items: { ip_address: string }[] }>(url, "GET", "/v1/auth/sessions", { token });
  return [...new Set(body.items.map(({ ip_address }) => ip_address))];
}

/** The engine's addresses on the networks of a service: connections to a published port come from one of them. */
export async function engineAddresses(service: string): Promise<string[]> {
  const container = await containerOf(project, service);
  const addresses = await inspect(container, "{{range .NetworkSettings.Networks}}{{.Gateway}} {{end}}");
  return addresses.split(" ").filter(Boolean);
}
