import {
  type Account,
  type CreateAccountCommand,
  type DeleteAccountCommand,
  timeOfId,
  type UpdateAccountCommand,
} from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";

/** The accounts of the server that plays auth, by id. */
export type AccountStore = Map<string, Account>;

/**
 * Executes a command of the internal contract as auth does and returns the response body.
 * @throws AppError as auth
 */
export function executeCommand(accounts: AccountStore, method: string, path: string, body: unknown): { id: string } {
  const [, id = "", action] = /^\/internal\/accounts(?:\/([^/]+)(?:\/(\w+))?)?$/.exec(path) ?? [];
  if (method === "POST" && id === "") return create(accounts, body as CreateAccountCommand);
  if (method === "PATCH") return update(accounts, id, body as UpdateAccountCommand);
  if (action === "delete") return remove(accounts, id, body as DeleteAccountCommand);
  return restore(accounts, id);
}

function create(accounts: AccountStore, command: CreateAccountCommand): Account {
  const { id, email, role, is_active, is_verified } = command;
  const existing = accounts.get(id);
  if (existing?.email === email) return existing;
  checkEmail(accounts, id, email);
  const now = timeOfId(id).toISOString();
  const versions = { token_version: 1, version: 1 };
  const times = { created_at: now, updated_at: now, deleted_at: null };
  return set(accounts, { id, email, role, is_active, is_verified, ...versions, ...times });
}

function update(accounts: AccountStore, id: string, command: UpdateAccountCommand): Account {
  const { on_behalf_of: _onBehalfOf, password, ...changes } = command;
  const account = findLive(accounts, id);
  if (changes.email !== undefined) checkEmail(accounts, id, changes.email);
  const differs = Object.entries(changes).some(([field, value]) => account[field as keyof Account] !== value);
  return differs || password !== undefined ? set(accounts, nextVersion(account, changes as Partial<Account>)) : account;
}

function remove(accounts: AccountStore, id: string, { soft, password }: DeleteAccountCommand) {
  const account = soft ? findLive(accounts, id) : find(accounts, id);
  if (password === "wrong") throw new AppError("InvalidCredentials");
  const deleted_at = soft ? new Date().toISOString() : null;
  const after = set(accounts, nextVersion(account, { deleted_at, token_version: account.token_version + 1 }));
  if (!soft) accounts.delete(id);
  return { id, version: after.version, deleted_at };
}

function restore(accounts: AccountStore, id: string): Account {
  const account = find(accounts, id);
  if (account.deleted_at === null) return account;
  checkEmail(accounts, id, account.email);
  return set(accounts, nextVersion(account, { deleted_at: null }));
}

function nextVersion(account: Account, changes: Partial<Account>): Account {
  return { ...account, ...changes, version: account.version + 1, updated_at: new Date().toISOString() };
}

function find(accounts: AccountStore, id: string): Account {
  const account = accounts.get(id);
  if (account === undefined) throw new AppError("UserNotFound");
  return account;
}

function findLive(accounts: AccountStore, id: string): Account {
  const account = find(accounts, id);
  if (account.deleted_at !== null) throw new AppError("UserNotFound");
  return account;
}

function checkEmail(accounts: AccountStore, id: string, email: string): void {
  for (const other of accounts.values())
    if (other.email === email && other.id !== id && other.deleted_at === null) throw new AppError("EmailAlreadyExists");
}

function set(accounts: AccountStore, account: Account): Account {
  accounts.set(account.id, account);
  return account;
}
