import { REFRESH_COOKIE } from "@gatehouse/contracts";
import type { LightMyRequestResponse } from "fastify";
import { decodeJwt } from "jose";
import type { Answer, Command } from "./commands.ts";
import { emailOf, type Names, passwordOf, secretOf, toAnswer } from "./names.ts";
import { passTime, type System } from "./system.ts";

/** Sends one command to the service and returns the answer in the model's symbols. */
export async function perform(system: System, names: Names, command: Command): Promise<Answer> {
  const response = await send(system, names, command);
  return response ? toAnswer(names, command, response) : { status: 200, cookie: "untouched" };
}

/** Returns undefined for a command that is not a request. */
async function send(system: System, names: Names, command: Command): Promise<LightMyRequestResponse | undefined> {
  const replica = system.replica();
  switch (command.is) {
    case "login":
      return replica.login(emailOf(userId(names, command.user), command.email), passwordOf(command.password));
    case "refresh":
      return replica.refresh(secretOf(names, command.token));
    case "logoutByBearer":
      return replica.withToken(newestAccessToken(names, command.bearer), "POST", "/v1/auth/logout");
    case "logoutByCookie": {
      const cookies = { [REFRESH_COOKIE.name]: secretOf(names, command.token) };
      return replica.app.inject({ method: "POST", url: "/v1/auth/logout", cookies });
    }
    case "logoutAll":
      return replica.withToken(newestAccessToken(names, command.bearer), "POST", "/v1/auth/logout-all");
    case "removeSession": {
      const url = `/v1/auth/sessions/${names.sessions.get(command.session)}`;
      return replica.withToken(newestAccessToken(names, command.bearer), "DELETE", url);
    }
    case "changePassword": {
      const body = { current_password: passwordOf(command.password), new_password: passwordOf(command.next) };
      return replica.withToken(newestAccessToken(names, command.bearer), "POST", "/v1/auth/change-password", body);
    }
    case "deleteSelf": {
      const bearer = newestAccessToken(names, command.bearer);
      const body = { soft: true, password: passwordOf(command.password), on_behalf_of: onBehalfOf(bearer) };
      return replica.internal("POST", `/internal/accounts/${decodeJwt(bearer).sub}/delete`, body);
    }
    case "restore": {
      const url = `/internal/accounts/${userId(names, command.user)}/restore`;
      return replica.internal("POST", url, { on_behalf_of: onBehalfOf(system.admin.accessToken) });
    }
    case "passTime":
      await passTime(system, names.sessions.get(command.session) ?? "", command.seconds);
      return undefined;
    case "cleanUp":
      await replica.deps.services.maintenance.cleanUpTokens();
      return undefined;
    default: {
      const id = userId(names, command.user);
      const body = { ...valuesOf(command, id), on_behalf_of: onBehalfOf(system.admin.accessToken) };
      return replica.internal("PATCH", `/internal/accounts/${id}`, body);
    }
  }
}

/** Returns the values that an admin's command sets, as the user service sends them. */
function valuesOf(command: Extract<Command, { is: `set${string}` }>, id: string): object {
  switch (command.is) {
    case "setPassword":
      return { password: passwordOf(command.next) };
    case "setActive":
      return { is_active: command.isActive };
    case "setRole":
      return { role: command.role };
    case "setEmail":
      return { email: emailOf(id, command.next) };
    case "setVerified":
      return { is_verified: command.isVerified };
  }
}

function onBehalfOf(accessToken: string) {
  const { sub, sid, token_version } = decodeJwt(accessToken);
  return { sub, sid, token_version };
}

function userId({ users }: Names, name: string): string {
  return users.get(name) ?? "";
}

function newestAccessToken({ accessTokens }: Names, session: string): string {
  return accessTokens.get(session)?.at(-1) ?? "";
}
