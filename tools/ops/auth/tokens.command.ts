import { Command } from "commander";
import { withAuth } from "../open-auth.ts";
import type { Terminal } from "../terminal/terminal.ts";

export function tokensCommand(terminal: Terminal): Command {
  const cleanup = new Command("cleanup")
    .description(
      "remove what has expired, in batches; auth does it each minute, and a second one at a time does nothing",
    )
    .option("--json", "the result as JSON")
    .action((options: { readonly json?: boolean }) => cleanUp(options, terminal));
  return new Command("tokens").description("refresh tokens and their sessions").addCommand(cleanup);
}

async function cleanUp({ json }: { readonly json?: boolean }, terminal: Terminal): Promise<void> {
  const { expiredTokens, sessions, sealedSuccessors } = await withAuth(terminal, (auth) => auth.cleanUpTokens());
  terminal.print(
    json
      ? JSON.stringify({ expired_tokens: expiredTokens, sessions, sealed_successors: sealedSuccessors })
      : `removed ${expiredTokens} expired tokens and ${sessions} sessions, forgot ${sealedSuccessors} sealed successors`,
  );
}
