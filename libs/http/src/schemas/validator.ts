import { AppError, type FieldError } from "@gatehouse/errors";
import type { FastifySchemaCompiler } from "fastify";
import { z } from "zod";

const PART_NAMES: Readonly<Record<string, string>> = {
  body: "body",
  querystring: "query",
  params: "path",
  headers: "headers",
};

// Keeps the answer small: a body of 16 KiB can hold 2,000 unknown fields.
const ERRORS_MAX = 20;
const PATH_MAX = 200;

/** Fastify's validator compiler for zod schemas. Invalid input is 422 ValidationError with the path of each field (`body.email`). */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const part = PART_NAMES[httpPart ?? "body"] ?? "request";
  return (data) => {
    // Fastify passes null for a missing body.
    const result = z.safeParse(schema, httpPart === "body" ? (data ?? undefined) : data);
    if (result.success) return { value: result.data };
    return { error: new AppError("ValidationError", { errors: fieldErrors(part, result.error.issues) }) };
  };
};

function fieldErrors(part: string, issues: readonly z.core.$ZodIssue[]): FieldError[] {
  const errors: FieldError[] = [];
  for (const issue of issues) {
    const path = [part, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys.slice(0, ERRORS_MAX))
        errors.push({ path: dotted([...path, key]), message: "is not a known field" });
    } else {
      errors.push({ path: dotted(path), message: isAbsent(issue) ? "is required" : issue.message });
    }
    if (errors.length >= ERRORS_MAX) break;
  }
  return errors.slice(0, ERRORS_MAX);
}

// zod distinguishes a missing value from a wrong one only in its message.
function isAbsent(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" && issue.message.endsWith("received undefined");
}

function dotted(path: readonly PropertyKey[]): string {
  const text = path.map(String).join(".");
  return text.length > PATH_MAX ? `${text.slice(0, PATH_MAX)}…` : text;
}
