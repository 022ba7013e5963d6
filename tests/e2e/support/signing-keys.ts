import { type RunningServices, runSql } from "@gatehouse/test-kit";
import { randomBytes } from "node:crypto";
import { decodeProtectedHeader } from "jose";
import { call, login, type Person, until } from "@gatehouse/test-kit/api";

export const kidOf = ({ token }: Pick<Person, "token">) => String(decodeProtectedHeader(token).kid);

/** Returns an unsigned token. An unknown kid makes auth reload the keys, because another replica may have created it. */
const naming = (kid: string) =>
  [{ alg: "EdDSA", typ: "at+jwt", kid }, {}]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".") + ".AAAA";

type Keyed = Pick<RunningServices, "auths" | "database">;

/**
 * Gives auth a new signing key, as a rotation does; the former key still verifies. It writes to the table, because a rotated
 * key signs only after 15 minutes.
 * @param email a user with the tests' password
 */
export async function signWithNewKey({ auths, database }: Keyed, email: string): Promise<void> {
  const kid = `rotated-${randomBytes(8).toString("hex")}`;
  await runSql(
    database.authUrl,
    `insert into signing_keys (kid, algorithm, public_jwk, sealed_private_key, signs_from)
     select '${kid}', algorithm, public_jwk || jsonb_build_object('kid', '${kid}'), sealed_private_key, now()
     from signing_keys where retired_at is null order by signs_from desc limit 1`,
  );
  for (const auth of auths)
    await until(async () => {
      await call(auth.url, "GET", "/v1/auth/sessions", { token: naming(kid) });
      return kidOf(await login(auth.url, email)) === kid;
    });
}

/**
 * Lets so much time pass for the keys that a replica, when it starts, retires all but the one that signs; that is the last one. The
 * others have the retired keys in memory still.
 */
export async function retireFormerKeys({ auths, database }: Keyed): Promise<void> {
  await runSql(
    database.authUrl,
    `update signing_keys set signs_from = now() - interval '1 day' * (
       select count(*) from signing_keys as newer
       where newer.retired_at is null and newer.signs_from >= signing_keys.signs_from)
     where retired_at is null`,
  );
  const replica = auths.at(-1);
  await replica?.stop("SIGINT");
  await replica?.start();
}
