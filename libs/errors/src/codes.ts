/**
 * The closed set of problem types with status and title (docs/reference/errors.md). Clients switch on the name, so a name never
 * changes its meaning.
 */
export const ERROR_CODES = {
  BadRequest: { status: 400, title: "The request is malformed" },
  AuthenticationError: { status: 401, title: "Authentication is required" },
  InvalidCredentials: { status: 401, title: "The credentials are invalid" },
  TokenError: { status: 401, title: "The token is invalid" },
  TokenRevokedError: { status: 401, title: "The token is revoked" },
  InactiveUser: { status: 401, title: "The account is inactive" },
  PermissionDenied: { status: 403, title: "Permission denied" },
  ResourceNotFound: { status: 404, title: "The resource does not exist" },
  UserNotFound: { status: 404, title: "The user does not exist" },
  ConflictError: { status: 409, title: "The request conflicts with the current state" },
  EmailAlreadyExists: { status: 409, title: "The email is already in use" },
  LastAdmin: { status: 409, title: "The last active admin cannot be removed" },
  PayloadTooLarge: { status: 413, title: "The request is too large" },
  UnsupportedMediaType: { status: 415, title: "The media type is not supported" },
  ValidationError: { status: 422, title: "The request is invalid" },
  RateLimitExceeded: { status: 429, title: "Too many requests" },
  InternalError: { status: 500, title: "An internal error occurred" },
  BadGateway: { status: 502, title: "A service returned an invalid response" },
  ServiceUnavailable: { status: 503, title: "A service is unavailable" },
  GatewayTimeout: { status: 504, title: "A service did not respond in time" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;
