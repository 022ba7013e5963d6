import type { ConfigProblem, ConfigRule } from "./environment.ts";

const MIN_SECRET_LENGTH = 32;

/** The placeholders of `.env.example`; a deployment that still carries one would share its secrets with the whole world. */
const EXAMPLE_PREFIX = "change-me";

interface ProductionValues {
  ENVIRONMENT: string;
  DEBUG?: boolean;
}

/** `rule`, but only when ENVIRONMENT is production. */
export function inProduction<T extends ProductionValues>(rule: ConfigRule<T>): ConfigRule<T> {
  return (values) => (values.ENVIRONMENT === "production" ? rule(values) : []);
}

/** Production refuses to run with DEBUG, which echoes SQL. */
export const noDebugInProduction: ConfigRule<ProductionValues> = inProduction(function* (values) {
  if (values.DEBUG === true) yield { name: "DEBUG", message: "must not be true in production" };
});

/** Whether a value is still one of the placeholders of `.env.example`. */
export function isExample(value: string): boolean {
  return value.startsWith(EXAMPLE_PREFIX);
}

/** Production refuses secrets that are short or are the example's. Each named variable holds a list of secrets. */
export function strongSecretsInProduction<T extends ProductionValues>(...names: (keyof T & string)[]): ConfigRule<T> {
  return inProduction(function* (values): Iterable<ConfigProblem> {
    for (const name of names) {
      const items = values[name];
      if (!Array.isArray(items)) continue;
      if (items.some(isExample)) yield { name, message: "must not be the value of .env.example in production" };
      else if (items.some((item: string) => item.length < MIN_SECRET_LENGTH))
        yield { name, message: `must have at least ${MIN_SECRET_LENGTH} characters in production` };
    }
  });
}
