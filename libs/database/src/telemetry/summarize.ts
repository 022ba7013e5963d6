/** A statement by the database conventions of OpenTelemetry. */
export interface Summary {
  /** `db.query.summary`: `SELECT auth.accounts`, `INSERT auth.sessions SELECT auth.accounts`, `SELECT pg_advisory_xact_lock`, `COMMIT`. */
  readonly summary: string;
  /** `db.operation.name`: the verb of the whole statement. */
  readonly operation: string;
  /** `db.collection.name`, when the statement has exactly one table. */
  readonly collection: string | undefined;
  /** `db.query.text`: the statement with its placeholders; constants are replaced by `?`. */
  readonly text: string;
}

/** Truncates statements with many placeholders. */
const LONGEST_TEXT = 4_000;
/** The maximum of the conventions. */
const LONGEST_SUMMARY = 255;

const STRING = String.raw`\be'(?:[^'\\]|\\[^]|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|\$(?<tag>(?:[a-z_]\w*)?)\$[^]*?(?:\$\k<tag>\$|$)`;
const COMMENT = String.raw`--.*|/\*[^]*?(?:\*/|$)`;
const QUOTED = String.raw`"(?:[^"]|"")*"`;
const IDENTIFIER = String.raw`(?:${QUOTED}|[a-z_][\w$]*)`;
const NAME = String.raw`(?!(?:only|lateral|select|values)\b)${IDENTIFIER}(?:\.${IDENTIFIER})?(?![\w$".])`;
const ALIAS = String.raw`(?:\s+(?:as\s+)?${IDENTIFIER})?`;

// `for update`, `for no key update`, `on conflict … do update`, `on delete` and `when matched then update` are not operations.
// `is distinct from` and `extract(epoch from …)` name no table. A name before a parenthesis is a function.
const NO_OPERATION = String.raw`(?<!\b(?:for|key|do|then|on)\s+)`;
const NO_CLAUSE = String.raw`(?<!\bdistinct\s+|\b(?:extract|substring|trim|overlay)\s*\([^()]*)`;
const TABLE = String.raw`${NAME}(?!\s*\()`;
const ONLY = String.raw`\s+(?:only\s+)?`;

const LITERALS = new RegExp(`(?<kept>${QUOTED})|${COMMENT}|(?<string>${STRING})`, "gi");
const WITH_NAMES = new RegExp(
  String.raw`(?<name>${IDENTIFIER})\s*(?:\([^()]*\))?\s+as\s+(?:(?:not\s+)?materialized\s+)?\(`,
  "gi",
);
const VERB = String.raw`(?<![".])${NO_OPERATION}\b(?<verb>select|insert|update|delete|merge)\b(?!")`;
const WRITTEN = String.raw`(?<=${NO_OPERATION}\b(?:into|update)${ONLY})(?<written>${NAME})`;
const READ = String.raw`(?<=${NO_CLAUSE}\b(?:from|join|using)${ONLY})(?<read>${TABLE}${ALIAS}(?:\s*,\s*${TABLE}${ALIAS})*)`;
const PARTS = new RegExp(`${VERB}|${WRITTEN}|${READ}`, "gi");
const CALL = new RegExp(String.raw`\bselect\s+(?<called>${NAME})\s*\(`, "i");
const FIRST_NAME = new RegExp(NAME, "i");
const INNERMOST_PARENTHESES = /\([^()]*\)/g;

/**
 * Summarizes PostgreSQL statements without a full SQL parser. The summary of an unknown statement is its first word.
 * @param schema the schema of tables without a prefix
 */
export function summarize(statement: string, schema?: string): Summary {
  const text = statement.replaceAll(LITERALS, (_, ...rest) => {
    const { kept, string } = rest.at(-1) as { kept?: string; string?: string };
    return kept ?? (string === undefined ? " " : "?");
  });
  const operations = operationsOf(text, schema);
  const withTables = operations.filter(({ tables }) => tables.length > 0);
  const tables = new Set(withTables.flatMap((operation) => operation.tables));
  const operation = mainVerb(text) ?? operations[0]?.verb ?? firstWord(text);
  const words = new Set(withTables.map((part) => [part.verb, ...part.tables].join(" ")));
  return {
    summary: (words.size === 0 ? withoutTables(operation, text) : [...words].join(" ")).slice(0, LONGEST_SUMMARY),
    operation,
    collection: tables.size === 1 ? [...tables][0] : undefined,
    text: text.slice(0, LONGEST_TEXT).trim(),
  };
}

interface Operation {
  readonly verb: string;
  readonly tables: string[];
}

/** Returns the operations in order, including subqueries and `with`; names defined by `with` are not tables. */
function operationsOf(text: string, schema: string | undefined): Operation[] {
  const given = new Set([...text.matchAll(WITH_NAMES)].map(({ groups }) => unquoted(groups?.["name"] ?? "")));
  const operations: Operation[] = [];
  for (const { groups = {} } of text.matchAll(PARTS)) {
    const { verb, written, read } = groups;
    if (verb !== undefined) operations.push({ verb: verb.toUpperCase(), tables: [] });
    const names = [written, ...(read?.split(",") ?? [])].map((one) => unquoted(one?.match(FIRST_NAME)?.[0] ?? ""));
    const tables = names.filter((name) => name !== "" && !given.has(name)).map((name) => qualified(name, schema));
    operations.at(-1)?.tables.push(...tables);
  }
  return operations;
}

/** Adds the called function, such as that of a lock. */
function withoutTables(operation: string, text: string): string {
  const called = CALL.exec(text)?.groups?.["called"];
  return called === undefined ? operation : `${operation} ${unquoted(called)}`;
}

function mainVerb(text: string): string | undefined {
  let outside = text;
  for (let inside = ""; inside !== outside;) {
    inside = outside;
    outside = outside.replaceAll(INNERMOST_PARENTHESES, "");
  }
  return [...outside.matchAll(PARTS)].find(({ groups }) => groups?.["verb"])?.groups?.["verb"]?.toUpperCase();
}

function firstWord(text: string): string {
  return /[a-z]+/i.exec(text)?.[0].toUpperCase() ?? "_OTHER";
}

function unquoted(name: string): string {
  return name.replaceAll('"', "");
}

/** The server's own catalog needs no schema. */
function qualified(name: string, schema: string | undefined): string {
  return schema === undefined || name.includes(".") || name.startsWith("pg_") ? name : `${schema}.${name}`;
}
