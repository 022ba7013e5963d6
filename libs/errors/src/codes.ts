/**
 * The closed set of problem types (contract, section 3) with the status and the title of each.
 * A client switches on the name, so a name is never reused for another meaning.
 */
export const ERROR_CODES = {
  BadRequest: { status: 400, title: "The request could not be understood" },
  AuthenticationError: { status: 401, title: "Authentication is required" },
  InvalidCredentials: { status: 401, title: "The credentials are wrong" },
  TokenError: { status: 401, title: "The token is not valid" },
  TokenRevokedError: { status: 401, title: "The token has been revoked" },
  InactiveUser: { status: 401, title: "The account is inactive" },
  PermissionDenied: { status: 403, title: "Permission denied" },
  ResourceNotFound: { status: 404, title: "There is nothing here" },
  UserNotFound: { status: 404, title: "There is no such user" },
  ConflictError: { status: 409, title: "The request conflicts with the present state" },
  EmailAlreadyExists: { status: 409, title: "The email is taken" },
  LastAdmin: { status: 409, title: "The last active admin must stay" },
  PayloadTooLarge: { status: 413, title: "The request is too large" },
  UnsupportedMediaType: { status: 415, title: "The media type is not supported" },
  ValidationError: { status: 422, title: "The request is not valid" },
  RateLimitExceeded: { status: 429, title: "Too many requests" },
  InternalError: { status: 500, title: "Something went wrong" },
  BadGateway: { status: 502, title: "A service answered badly" },
  ServiceUnavailable: { status: 503, title: "A service is unavailable" },
  GatewayTimeout: { status: 504, title: "A service did not answer in time" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;
