import type { ServiceName } from "@gatehouse/local-stack";
import { inventSecret, type SystemSecrets } from "@gatehouse/test-kit/system";
import { authEnvironment } from "../system/auth-environment.ts";
import { runPnpm } from "../system/command.ts";
import { roll } from "../system/roll.ts";
import type { System } from "../system/system.ts";
import type { Chapter, Step } from "./plan.ts";

type SecretName = keyof SystemSecrets;
/** Which of the two values stand in the list, in this order. */
type List = "OLD,NEW" | "NEW,OLD" | "NEW";

/** JWT_SECRET_KEY, which encrypts the private halves of the signing keys in auth's schema. */
export function signingChapter(): Chapter {
  const change = createChange("JWT_SECRET_KEY");
  return {
    name: "jwt-secret",
    steps: [
      change.restart("OLD,NEW", "auth"),
      change.restart("NEW,OLD", "auth"),
      {
        title: "`pnpm ops keys reseal`",
        async run({ system }) {
          const { keys } = await runPnpm<{ keys: number }>("ops", ["keys", "reseal"], authEnvironment(system));
          if (keys === 0) throw new Error("there are no keys");
        },
      },
      change.restart("NEW", "auth"),
    ],
  };
}

/** INTERNAL_API_TOKEN, by which auth knows the user service. */
export function internalChapter(): Chapter {
  const change = createChange("INTERNAL_API_TOKEN");
  const path = "/internal/accounts/00000000-0000-7000-8000-000000000000";
  const ask = (token: string, auth: string) =>
    fetch(`${auth}${path}`, { method: "PATCH", headers: headersWith(token), body: "{}" });
  return {
    name: "internal-token",
    steps: [
      change.restart("OLD,NEW", "auth"),
      change.restart("NEW", "user"),
      change.restart("NEW", "auth", (values, system) => refusesOldOnly(values, system, ask)),
    ],
  };
}

/** INTROSPECTION_TOKEN, by which auth knows verifiers. */
export function introspectionChapter(): Chapter {
  const change = createChange("INTROSPECTION_TOKEN");
  const ask = (token: string, auth: string) =>
    fetch(`${auth}/internal/introspect`, { method: "POST", headers: headersWith(token), body: '{"tokens":[]}' });
  return {
    name: "introspection-token",
    steps: [
      change.restart("OLD,NEW", "auth"),
      change.restart("NEW", "user"),
      change.restart("NEW", "gateway"),
      change.restart("NEW", "auth", (values, system) => refusesOldOnly(values, system, ask)),
    ],
  };
}

interface Values {
  readonly old: string;
  readonly new: string;
}

function createChange(name: SecretName) {
  const next = inventSecret();
  return {
    restart(list: List, service: ServiceName, check?: (values: Values, system: System) => Promise<void>): Step {
      return {
        title: `restart ${service} with \`${name}=${list}\``,
        async run({ system }) {
          const values = { old: system.secrets[name], new: next };
          const value = list.replace("OLD", values.old).replace("NEW", values.new);
          await roll(system, service, { [name]: value });
          await check?.(values, system);
        },
      };
    },
  };
}

/** @throws Error unless every auth knows the new token and not the old one */
async function refusesOldOnly(
  values: Values,
  { services }: System,
  ask: (token: string, auth: string) => Promise<Response>,
): Promise<void> {
  for (const { name, url } of services.auth) {
    const [old, current] = [await ask(values.old, url), await ask(values.new, url)];
    if (old.status !== 401) throw new Error(`${name} answers ${old.status} to the old token`);
    if (current.status === 401) throw new Error(`${name} does not know the new token`);
  }
}

function headersWith(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, "content-type": "application/json" };
}
