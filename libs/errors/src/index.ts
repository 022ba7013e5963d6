export { AppError, type FieldError, isAppError } from "./app-error.ts";
export { ERROR_CODES, type ErrorCode } from "./codes.ts";
export { isCertificateError, OperatorError } from "./operator-error.ts";
export { PROBLEM_CONTENT_TYPE, type Problem, problemHeaders, toProblem } from "./problem.ts";
