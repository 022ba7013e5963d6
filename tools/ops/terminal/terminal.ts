/** What a command sees of the world around it. */
export interface Terminal {
  readonly variables: NodeJS.ProcessEnv;
  /** One line of the result. */
  print(line: string): void;
  /** Where questions are answered. */
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Where everything goes that is no result: errors, questions, progress. */
  readonly errors: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Aborts at Ctrl-C or SIGTERM, so that a command ends in order; a second one ends it at once. Asked for once a command. */
  interruption(): AbortSignal;
  /** The exit code, when it is not to be 0. */
  exitCode: number;
}

/** The terminal in which this process runs. */
export function processTerminal(): Terminal {
  endWithReader();
  return {
    variables: process.env,
    print: (line) => console.log(line),
    input: process.stdin,
    errors: process.stderr,
    interruption,
    exitCode: 0,
  };
}

/** Ends the process quietly when whoever reads its output has seen enough, as `head` does. */
function endWithReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  return controller.signal;
}
