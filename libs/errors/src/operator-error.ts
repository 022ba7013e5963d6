/**
 * An error that an operator can fix. Its message says what happened and what to do, contains no secret, and is shown without a stack.
 */
export class OperatorError extends Error {
  override readonly name: string = "OperatorError";
}

/** Returns true for a TLS certificate error, by the codes of OpenSSL's verification and of Node's check of the host name. */
export function isCertificateError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /CERT|ISSUER|LEAF_SIGNATURE/.test(code);
}
