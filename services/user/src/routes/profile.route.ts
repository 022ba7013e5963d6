import { currentUser, requireUser, type VerifyBearer } from "@gatehouse/access";
import { DeleteMeBody, PublicUser, RegisterBody, UpdateMeBody, User, UserIdParams } from "@gatehouse/contracts";
import { type App, BEARER_SECURITY, NoContent } from "@gatehouse/http";
import { z } from "zod";
import type { ProfileService } from "../services/profile.service.ts";
import { toPublicAnswer, toUserAnswer } from "./answers.ts";
import { clearedRefreshCookie } from "./cookie.ts";

export interface ProfileRouteOptions {
  readonly profiles: ProfileService;
  readonly verify: VerifyBearer;
  readonly secureCookies: boolean;
}

const tags = ["users"];

/** Registration, and what people do with their own user and see of others. */
export function profileRoutes(app: App, { profiles, verify, secureCookies }: ProfileRouteOptions): void {
  const onRequest = [requireUser(verify)];
  const security = BEARER_SECURITY;

  app.post(
    "/v1/users",
    { schema: { tags, summary: "Register", body: RegisterBody, response: { 201: User } } },
    async (request, reply) => {
      const user = await profiles.register(request.body);
      return reply.code(201).send(toUserAnswer(user));
    },
  );

  const me = { schema: { tags, security, summary: "Oneself", response: { 200: User } }, onRequest };
  app.get("/v1/users/me", me, async (request) => toUserAnswer(await profiles.me(currentUser(request))));
  app.get("/v1/auth/me", me, async (request) => toUserAnswer(await profiles.me(currentUser(request))));

  app.patch(
    "/v1/users/me",
    { schema: { tags, security, summary: "Change oneself", body: UpdateMeBody, response: { 200: User } }, onRequest },
    async (request) => toUserAnswer(await profiles.updateMe(currentUser(request), request.body)),
  );

  app.delete(
    "/v1/users/me",
    {
      schema: { tags, security, summary: "Delete oneself", body: DeleteMeBody, response: { 204: NoContent } },
      onRequest,
    },
    async (request, reply) => {
      await profiles.deleteMe(currentUser(request), request.body.password);
      return reply.code(204).header("set-cookie", clearedRefreshCookie(secureCookies)).send();
    },
  );

  const response = { 200: z.union([User, PublicUser]) };
  app.get(
    "/v1/users/:id",
    {
      schema: { tags, security, summary: "A user, as far as one may see it", params: UserIdParams, response },
      onRequest,
    },
    async (request) => {
      const { user, whole } = await profiles.view(currentUser(request), request.params.id);
      return whole ? toUserAnswer(user) : toPublicAnswer(user);
    },
  );
}
