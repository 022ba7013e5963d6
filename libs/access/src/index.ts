export { bearerOf } from "./bearer.ts";
export { ACCESS_TOKEN_TYPE, type AccessClaims, CLIENT_ID, type VerifyBearer } from "./claims.ts";
export { clientAddress } from "./client-address.ts";
export { type ConnectedVerifier, connectVerifier, type ConnectVerifierOptions } from "./connect-verifier.ts";
export { currentUser, type Guard, optionalUser, requireRole, requireUser } from "./guards.ts";
export { createRotation, LEAVING_REST_MS, type Rotation } from "./rotation.ts";
export { serviceTokenGuard } from "./service-token.ts";
export type { Verifier } from "./verifier.ts";
export { verifyAccessToken, type VerificationOptions } from "./verify-access-token.ts";
