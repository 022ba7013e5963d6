/** Codes that Node takes from OpenSSL's verification (UNABLE_TO_VERIFY_LEAF_SIGNATURE, CERT_HAS_EXPIRED …), and its own of names. */
export function isCertificateError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /CERT|ISSUER|LEAF_SIGNATURE/.test(code);
}
