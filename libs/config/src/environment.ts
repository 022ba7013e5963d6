import { OperatorError } from "@gatehouse/errors";
import { z } from "zod";

/** One wrong variable. `message` says what would be right and never repeats the value, which may be a secret. */
export interface ConfigProblem {
  readonly name: string;
  readonly message: string;
}

/** Stops the start; lists every wrong variable at once, by name. */
export class ConfigError extends OperatorError {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ name, message }) => `  ${name}: ${message}`);
    super(`The configuration is not valid:\n${lines.join("\n")}`);
    this.problems = problems;
  }
}

/** Rules that look at more than one variable; each returns the problems it sees. They run on whatever parsed. */
export type ConfigRule<T> = (values: Readonly<Partial<T>>) => Iterable<ConfigProblem>;

/**
 * Reads the variables that `shape` names from `environment` and checks them all.
 * An empty variable counts as absent, since compose files and manifests cannot leave one out conditionally.
 * @throws ConfigError naming every wrong variable
 */
export function readEnvironment<S extends z.ZodRawShape>(
  shape: S,
  environment: NodeJS.ProcessEnv,
  rules: readonly ConfigRule<z.output<z.ZodObject<S>>>[] = [],
): Readonly<z.output<z.ZodObject<S>>> {
  const problems: ConfigProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(shape)) {
    const result = z.safeParse(schema, environment[name] === "" ? undefined : environment[name]);
    if (result.success) values[name] = result.data;
    else problems.push({ name, message: result.error.issues.map((issue) => issue.message).join("; ") });
  }
  const parsed = values as Partial<z.output<z.ZodObject<S>>>;
  for (const rule of rules) problems.push(...rule(parsed));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as Readonly<z.output<z.ZodObject<S>>>;
}
