import type {
  AdminCreateUserBody,
  AdminListUsersQuery,
  AdminUpdateUserBody,
  AdminUser,
  AdminUserList,
  LoginResponse,
  PublicUser,
  RegisterBody,
  SessionList,
  UpdateMeBody,
  User,
} from "@gatehouse/contracts";
import { createTransport, type Tokens, type Transport, type TransportOptions } from "./transport.ts";

export interface LoginOptions {
  /** Shown in the list of sessions. */
  readonly deviceName?: string;
  readonly deviceId?: string;
}

/** The gateway's API for one user. Every method throws ProblemError when the gateway answers with an error. */
export interface GatehouseClient {
  /** Returns the tokens to store for a later client, undefined when logged out. */
  tokens(): Tokens | undefined;
  register(body: RegisterBody): Promise<User>;
  login(email: string, password: string, options?: LoginOptions): Promise<User>;
  /** Rotates the tokens now. Calls do so themselves when the access token has expired. */
  refresh(): Promise<void>;
  logout(): Promise<void>;
  logoutAll(): Promise<void>;
  me(): Promise<User>;
  updateMe(changes: UpdateMeBody): Promise<User>;
  /** Logs out every device, this client included. */
  changePassword(currentPassword: string, newPassword: string): Promise<void>;
  deleteMe(password: string): Promise<void>;
  sessions(): Promise<SessionList["items"]>;
  removeSession(id: string): Promise<void>;
  /** Returns the full user for oneself and for admins, the public part for other callers. */
  user(id: string): Promise<User | PublicUser>;
  readonly admin: AdminClient;
}

export interface AdminClient {
  list(query?: Partial<AdminListUsersQuery>): Promise<AdminUserList>;
  create(body: AdminCreateUserBody): Promise<AdminUser>;
  get(id: string): Promise<AdminUser>;
  update(id: string, changes: AdminUpdateUserBody): Promise<AdminUser>;
  /** Deletes the user permanently. */
  remove(id: string): Promise<void>;
  /** Restores a soft-deleted user. */
  restore(id: string): Promise<AdminUser>;
}

export function createClient(options: TransportOptions): GatehouseClient {
  const transport = createTransport(options);
  const { sendAs } = transport;
  /** Sends a call that ends the session, then forgets the tokens. */
  const endSession = async (method: string, path: string, json?: unknown) => {
    await sendAs<void>(method, path, { json });
    transport.forget();
  };

  return {
    tokens: transport.tokens,
    register: (body) => transport.send("POST", "/v1/users", { json: body }),
    async login(email, password, { deviceName, deviceId } = {}) {
      const form = { username: email, password, device_name: deviceName, device_id: deviceId };
      return (await transport.enter<LoginResponse>("/v1/auth/login", { form })).user;
    },
    refresh: transport.refresh,
    logout: () => endSession("POST", "/v1/auth/logout"),
    logoutAll: () => endSession("POST", "/v1/auth/logout-all"),
    me: () => sendAs("GET", "/v1/auth/me"),
    updateMe: (changes) => sendAs("PATCH", "/v1/users/me", { json: changes }),
    changePassword: (currentPassword, newPassword) =>
      endSession("POST", "/v1/auth/change-password", { current_password: currentPassword, new_password: newPassword }),
    deleteMe: (password) => endSession("DELETE", "/v1/users/me", { password }),
    sessions: async () => (await sendAs<SessionList>("GET", "/v1/auth/sessions")).items,
    removeSession: (id) => sendAs("DELETE", `/v1/auth/sessions/${encodeURIComponent(id)}`),
    user: (id) => sendAs("GET", `/v1/users/${encodeURIComponent(id)}`),
    admin: createAdminClient(transport),
  };
}

function createAdminClient({ sendAs }: Transport): AdminClient {
  const path = (id: string) => `/v1/admin/users/${encodeURIComponent(id)}`;
  return {
    list: (query) => sendAs("GET", "/v1/admin/users", query && { query }),
    create: (body) => sendAs("POST", "/v1/admin/users", { json: body }),
    get: (id) => sendAs("GET", path(id)),
    update: (id, changes) => sendAs("PATCH", path(id), { json: changes }),
    remove: (id) => sendAs("DELETE", path(id)),
    restore: (id) => sendAs("POST", `${path(id)}/restore`),
  };
}
