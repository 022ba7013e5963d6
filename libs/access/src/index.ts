export { bearerOf, clientAddress } from "./guards/caller.ts";
export { ACCESS_TOKEN_TYPE, type AccessClaims, CLIENT_ID, type VerifyBearer } from "./verification/claims.ts";
export { type ConnectedVerifier, connectVerifier, type ConnectVerifierDeps } from "./verification/connect-verifier.ts";
export { currentUser, type Guard, optionalUser, requireRole, requireUser } from "./guards/guards.ts";
export { applyRevocation } from "./revocation/revocation-event.ts";
export { createRevocationView, type RevocableClaims, type RevocationView } from "./revocation/revocation-view.ts";
export { serviceTokenGuard } from "./guards/service-token.ts";
export type { Verifier } from "./verification/verifier.ts";
export { verifyAccessToken, type VerificationOptions } from "./verification/verify-access-token.ts";
