import { STREAMS } from "@gatehouse/contracts";
import { createLogger } from "@gatehouse/observability";
import { Command, Option } from "commander";
import { findBus } from "../find-bus.ts";
import { aborted } from "../terminal/aborted.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { dataOption, parseCount, sinceOption, typeOption, userOption } from "./options.ts";
import { followEvents, readStoredEvents } from "./read-events.ts";
import { eventJson, eventLine, type SeenEvent } from "./show-event.ts";

interface Options {
  readonly stream?: string;
  readonly type?: string;
  readonly user?: string;
  readonly correlation?: string;
  readonly since?: Date;
  readonly limit?: number;
  readonly follow: boolean;
  readonly json?: boolean;
  readonly data?: boolean;
}

const ALL_STREAMS = Object.values(STREAMS);

export function tailCommand(terminal: Terminal): Command {
  return new Command("tail")
    .description("show events as they come, until Ctrl-C; watermarks, one a second, only with --type auth.watermark")
    .addOption(new Option("--stream <name>", "of this stream only").choices(ALL_STREAMS.map(({ name }) => name)))
    .addOption(typeOption())
    .addOption(userOption())
    .option("--correlation <id>", "caused by the request with this X-Correlation-ID")
    .addOption(
      sinceOption("begin so long ago (30s, 10m, 2h, 7d) or at a time; with --no-follow with the oldest, else now"),
    )
    .addOption(new Option("--limit <n>", "end after so many").argParser(parseCount))
    .option("--no-follow", "end with what is stored now")
    .addOption(dataOption())
    .option("--json", "each as a CloudEvent in one line; without its data unless --data is given")
    .action((options: Options) => tail(options, terminal));
}

async function tail(options: Options, terminal: Terminal): Promise<void> {
  const { correlation, limit = Number.POSITIVE_INFINITY, since, type, user } = options;
  const streams = ALL_STREAMS.filter(({ name }) => options.stream === undefined || options.stream === name);
  const filter = { streams, type, user, correlation, since };
  const found = await findBus(terminal);
  const enough = new AbortController();
  const ending = AbortSignal.any([terminal.interruption(), enough.signal]);
  const withData = options.data === true;
  let shown = 0;

  function show(event: SeenEvent): void {
    if (shown >= limit || ending.aborted) return;
    shown += 1;
    terminal.print(options.json ? JSON.stringify(eventJson(event, withData)) : eventLine(event, withData));
    if (shown === limit) enough.abort();
  }

  try {
    if (options.follow) {
      // Beside the result: the lines of that are events.
      const logger = createLogger({ service: "ops", level: "warn", destination: terminal.errors });
      await followEvents(found, { ...filter, since: since ?? new Date() }, ending, logger, show);
    } else {
      await Promise.race([readStoredEvents(found, filter, show), aborted(ending)]);
    }
  } finally {
    await found.connection.close();
  }
}
