import { currentUser, requireUser, type VerifyBearer } from "@gatehouse/access";
import { DeleteMeBody, PublicUser, RegisterBody, UpdateMeBody, User, UserIdParams } from "@gatehouse/contracts";
import { type App, BEARER_SECURITY, NoContent, type RefreshCookie } from "@gatehouse/http";
import { z } from "zod";
import type { ProfileService } from "../services/profile.service.ts";
import { toPublicUser, toUser } from "./user-view.ts";

export interface ProfileRoutesDeps {
  readonly profiles: ProfileService;
  readonly verify: VerifyBearer;
  readonly cookie: RefreshCookie;
}

const tags = ["users"];

/** Registration, and what users do with their own user and see of others. */
export function profileRoutes({ profiles, verify, cookie }: ProfileRoutesDeps) {
  return async (app: App): Promise<void> => {
    const onRequest = [requireUser(verify)];
    const common = { tags, security: BEARER_SECURITY };

    app.post(
      "/v1/users",
      { schema: { tags, summary: "Register", body: RegisterBody, response: { 201: User } } },
      async (request, reply) => {
        const user = await profiles.register(request.body);
        return reply.code(201).send(toUser(user));
      },
    );

    const me = { schema: { ...common, summary: "Get your user", response: { 200: User } }, onRequest };
    app.get("/v1/users/me", me, async (request) => toUser(await profiles.me(currentUser(request))));
    app.get("/v1/auth/me", me, async (request) => toUser(await profiles.me(currentUser(request))));

    app.patch(
      "/v1/users/me",
      { schema: { ...common, summary: "Change your user", body: UpdateMeBody, response: { 200: User } }, onRequest },
      async (request) => toUser(await profiles.updateMe(currentUser(request), request.body)),
    );

    app.delete(
      "/v1/users/me",
      {
        schema: { ...common, summary: "Delete your user", body: DeleteMeBody, response: { 204: NoContent } },
        onRequest,
      },
      async (request, reply) => {
        await profiles.deleteMe(currentUser(request), request.body.password);
        cookie.clear(reply);
        return reply.code(204).send();
      },
    );

    const response = { 200: z.union([User, PublicUser]) };
    app.get(
      "/v1/users/:id",
      {
        schema: { ...common, summary: "Get a user, in full or its public part", params: UserIdParams, response },
        onRequest,
      },
      async (request) => {
        const { user, scope } = await profiles.view(currentUser(request), request.params.id);
        return scope === "full" ? toUser(user) : toPublicUser(user);
      },
    );
  };
}
