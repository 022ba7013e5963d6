import { serviceTokenGuard } from "@gatehouse/access";
import {
  Account as AccountAnswer,
  CreateAccountCommand,
  DeleteAccountCommand,
  DeletedAccount,
  RestoreAccountCommand,
  UpdateAccountCommand,
  UserIdParams,
} from "@gatehouse/contracts";
import type { App } from "@gatehouse/http";
import type { AccountService } from "../../services/accounts/account.service.ts";
import type { DeletionService } from "../../services/accounts/deletion.service.ts";
import { toAccountAnswer } from "./account-view.ts";

export interface InternalAccountRoutesDeps {
  readonly accounts: AccountService;
  readonly deletions: DeletionService;
  /** INTERNAL_API_TOKEN: each value is accepted. */
  readonly tokens: readonly string[];
}

/** Serves the commands of the user service. Never reachable through the gateway. */
export function internalAccountRoutes({ accounts, deletions, tokens }: InternalAccountRoutesDeps) {
  return async (app: App): Promise<void> => {
    app.addHook("onRequest", serviceTokenGuard(tokens));

    app.post(
      "/internal/accounts",
      { schema: { hide: true, body: CreateAccountCommand, response: { 201: AccountAnswer } } },
      async (request, reply) => reply.code(201).send(toAccountAnswer(await accounts.create(request.body))),
    );

    app.patch(
      "/internal/accounts/:id",
      { schema: { hide: true, params: UserIdParams, body: UpdateAccountCommand, response: { 200: AccountAnswer } } },
      async (request) => toAccountAnswer(await accounts.update(request.params.id, request.body)),
    );

    app.post(
      "/internal/accounts/:id/delete",
      { schema: { hide: true, params: UserIdParams, body: DeleteAccountCommand, response: { 200: DeletedAccount } } },
      async (request) => {
        const { id, version, deletedAt } = await deletions.remove(request.params.id, request.body);
        return { id, version, deleted_at: deletedAt?.toISOString() ?? null };
      },
    );

    app.post(
      "/internal/accounts/:id/restore",
      { schema: { hide: true, params: UserIdParams, body: RestoreAccountCommand, response: { 200: AccountAnswer } } },
      async (request) => toAccountAnswer(await deletions.restore(request.params.id, request.body.on_behalf_of)),
    );
  };
}
