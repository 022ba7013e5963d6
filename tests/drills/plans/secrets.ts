import type { Chapter } from "./plan.ts";
import { busChapter, redisChapter } from "./server-passwords.ts";
import { ownerChapter, roleChapter } from "./database-passwords.ts";
import { internalChapter, introspectionChapter, signingChapter } from "./token-secrets.ts";

/** Connections to PostgreSQL live five seconds, so that pools open new ones in every step of a rotation. */
export const SECRETS_ENVIRONMENT = { DB_POOL_RECYCLE: "5" };

/** Every secret of the system. */
export function secretChapters(): readonly Chapter[] {
  return [
    signingChapter(),
    internalChapter(),
    introspectionChapter(),
    roleChapter("auth"),
    roleChapter("user"),
    ownerChapter(),
    busChapter(),
    redisChapter(),
  ];
}
