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
const one = { ...common, params: UserIdParams, response: { 200: AdminUser } };
const list = { ...common, querystring: AdminListUsersQuery, response: { 200: AdminUserList } };
const creation = { ...common, body: AdminCreateUserBody, response: { 201: AdminUser } };
const erasure = { ...common, params: UserIdParams, response: { 204: NoContent } };

/** What admins do with any user. */
export function adminRoutes({ admin, verify }: AdminRoutesDeps) {
  return async (app: App): Promise<void> => {
    const onRequest = [requireUser(verify), requireRole("admin")];

    app.get("/v1/admin/users", { schema: { ...list, summary: "List users" }, onRequest }, async (request) => {
      const { items, total, totalExact, nextCursor } = await admin.list(request.query);
      return { items: items.map(toAdminUser), total, total_exact: totalExact, next_cursor: nextCursor };
    });

    app.post(
      "/v1/admin/users",
      { schema: { ...creation, summary: "Create a user" }, onRequest },
      async (request, reply) => {
        const user = await admin.create(currentUser(request), request.body);
        return reply.code(201).send(toAdminUser(user));
      },
    );

    app.get("/v1/admin/users/:id", { schema: { ...one, summary: "Get a user" }, onRequest }, async (request) =>
      toAdminUser(await admin.find(request.params.id)),
    );

    app.patch(
      "/v1/admin/users/:id",
      { schema: { ...one, summary: "Change a user", body: AdminUpdateUserBody }, onRequest },
      async (request) => toAdminUser(await admin.update(currentUser(request), request.params.id, request.body)),
    );

    app.delete(
      "/v1/admin/users/:id",
      { schema: { ...erasure, summary: "Erase a user" }, onRequest },
      async (request, reply) => {
        await admin.erase(currentUser(request), request.params.id);
        return reply.code(204).send();
      },
    );

    app.post(
      "/v1/admin/users/:id/restore",
      { schema: { ...one, summary: "Restore a soft-deleted user" }, onRequest },
      async (request) => toAdminUser(await admin.restore(currentUser(request), request.params.id)),
    );
  };
}
