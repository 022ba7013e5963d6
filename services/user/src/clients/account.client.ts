import {
  Account,
  type CreateAccountCommand,
  type DeleteAccountCommand,
  DeletedAccount,
  type RestoreAccountCommand,
  type UpdateAccountCommand,
} from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { z } from "zod";
import { SAME_RELEASE } from "./auth-problem.ts";
import { type AuthTransportDeps, createAuthTransport } from "./auth-transport.ts";

/**
 * The commands that change accounts. Each throws auth's own error (EmailAlreadyExists, LastAdmin, UserNotFound and others),
 * ServiceUnavailable when auth is down or busy, and BadGateway when auth's response is not valid.
 */
export interface AccountClient {
  /** Creating the same id again returns the same account, so the client retries after a lost response. */
  create(command: CreateAccountCommand): Promise<Account>;
  update(id: string, command: UpdateAccountCommand): Promise<Account>;
  remove(id: string, command: DeleteAccountCommand): Promise<DeletedAccount>;
  restore(id: string, command: RestoreAccountCommand): Promise<Account>;
  close(): Promise<void>;
}

export function createAccountClient(deps: AuthTransportDeps): AccountClient {
  const transport = createAuthTransport(deps);

  async function send<S extends z.ZodType>(
    schema: S,
    method: "POST" | "PATCH",
    template: string,
    body: object,
    { id, repeatable = false }: { id?: string; repeatable?: boolean },
  ): Promise<z.output<S>> {
    const command = { method, template, body, repeatable, ...(id !== undefined && { id }) };
    const response = schema.safeParse(await transport.send(command));
    if (response.success) return response.data;
    const paths = response.error.issues.map((issue) => issue.path.join("."));
    deps.logger.error(
      { path: template, paths, next: SAME_RELEASE },
      "auth returned a response that does not match the schema",
    );
    throw new AppError("BadGateway");
  }

  return {
    create: (command) => send(Account, "POST", "/internal/accounts", command, { repeatable: true }),
    update: (id, command) => send(Account, "PATCH", "/internal/accounts/:id", command, { id }),
    remove: (id, command) => send(DeletedAccount, "POST", "/internal/accounts/:id/delete", command, { id }),
    restore: (id, command) => send(Account, "POST", "/internal/accounts/:id/restore", command, { id }),
    close: () => transport.close(),
  };
}
