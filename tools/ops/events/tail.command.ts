import { STREAMS } from "@gatehouse/contracts";
import { createLogger } from "@gatehouse/observability";
import { Command, Option } from "commander";
import { findBus } from "../connect.ts";
import { aborted, type Terminal } from "../terminal.ts";
import { dataOption, parseCount, sinceOption, typeOption, userOption } from "./options.ts";
import { followEvents, readStoredEvents } from "./read-events.ts";
import { eventJson, eventLine, type SeenEvent } from "./show.ts";

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
    .description("print events as they arrive, until Ctrl-C; watermarks (one a second) only with --type auth.watermark")
    .addOption(new Option("--stream <name>", "of this stream only").choices(ALL_STREAMS.map(({ name }) => name)))
    .addOption(typeOption())
    .addOption(userOption())
    .option("--correlation <id>", "caused by the request with this X-Correlation-ID")
    .addOption(
      sinceOption("start at this age (30s, 10m, 2h, 7d) or time; default: now, with --no-follow the oldest event"),
    )
    .addOption(new Option("--limit <n>", "stop after this many events").argParser(parseCount))
    .option("--no-follow", "stop after the stored events")
    .addOption(dataOption())
    .option("--json", "print each as a CloudEvent in one line; with its data only with --data")
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
      // To standard error: every line of standard output is an event.
      const logger = createLogger({ service: "ops", level: "warn", destination: terminal.errors });
      await followEvents(found, { ...filter, since: since ?? new Date() }, ending, logger, show);
    } else {
      await Promise.race([readStoredEvents(found, filter, show), aborted(ending)]);
    }
  } finally {
    await found.connection.close();
  }
}
