import { Command } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { deadCommand } from "./dead.command.ts";
import { replayCommand } from "./replay.command.ts";
import { tailCommand } from "./tail.command.ts";

export function eventsCommand(terminal: Terminal): Command {
  const events = new Command("events").description("events on the bus: follow them, find and replay dead letters");
  for (const command of [tailCommand(terminal), deadCommand(terminal), replayCommand(terminal)])
    events.addCommand(command);
  return events;
}
