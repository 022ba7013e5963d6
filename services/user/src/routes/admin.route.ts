import { currentUser, requireRole, requireUser, type VerifyBearer } from "@gatehouse/access";
import {
  AdminCreateUserBody,
  AdminListUsersQuery,
  AdminUpdateUserBody,
  AdminUser,
  AdminUserList,
  UserIdParams,
} from "@gatehouse/contracts";
import { type App, BEARER_SECURITY, NoContent } from "@gatehouse/http";
import type { AdminService } from "../services/admin.service.ts";
import { toAdminUser } from "./user-view.ts";

export interface AdminRoutesDeps {
  readonly admin: AdminService;
  readonly verify: VerifyBearer;
}

const common = { tags: ["admin"], security: BEARER_SECURITY };

/** What admins do with any user. */
export function adminRoutes({ admin, verify }: AdminRoutesDeps) {
  return async (app: App): Promise<void> => {
    const onRequest = [requireUser(verify), requireRole("admin")];
    const one = { params: UserIdParams, response: { 200: AdminUser } };

    app.get(
      "/v1/admin/users",
      {
        schema: {
          ...common,
          summary: "List users",
          querystring: AdminListUsersQuery,
          response: { 200: AdminUserList },
        },
        onRequest,
      },
      async (request) => {
        const { items, total, totalExact, nextCursor } = await admin.list(request.query);
        return { items: items.map(toAdminUser), total, total_exact: totalExact, next_cursor: nextCursor };
      },
    );

    app.post(
      "/v1/admin/users",
      {
        schema: { ...common, summary: "Create a user", body: AdminCreateUserBody, response: { 201: AdminUser } },
        onRequest,
      },
      async (request, reply) => {
        const user = await admin.create(currentUser(request), request.body);
        return reply.code(201).send(toAdminUser(user));
      },
    );

    app.get(
      "/v1/admin/users/:id",
      { schema: { ...common, summary: "Get a user", ...one }, onRequest },
      async (request) => toAdminUser(await admin.find(request.params.id)),
    );

    app.patch(
      "/v1/admin/users/:id",
      { schema: { ...common, summary: "Change a user", body: AdminUpdateUserBody, ...one }, onRequest },
      async (request) => toAdminUser(await admin.update(currentUser(request), request.params.id, request.body)),
    );

    app.delete(
      "/v1/admin/users/:id",
      {
        schema: { ...common, summary: "Erase a user", params: UserIdParams, response: { 204: NoContent } },
        onRequest,
      },
      async (request, reply) => {
        await admin.erase(currentUser(request), request.params.id);
        return reply.code(204).send();
      },
    );

    app.post(
      "/v1/admin/users/:id/restore",
      { schema: { ...common, summary: "Restore a soft-deleted user", ...one }, onRequest },
      async (request) => toAdminUser(await admin.restore(currentUser(request), request.params.id)),
    );
  };
}
