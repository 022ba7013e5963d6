/** What the services are given over the user's variables, and what the user is told about it. */
export interface ObservedVariables {
  readonly variables: Readonly<Record<string, string>>;
  /** One sentence when traces would have gone elsewhere without us. */
  readonly note: string | undefined;
}

const DISABLED = /^(true|1|yes|on)$/i;

/**
 * Sends the services' traces, all of them and at once, to a receiver of ours. What was asked for on the command line wins over variables,
 * which may have been set for another day; metrics and logs go where they went before.
 */
export function observedVariables(environment: NodeJS.ProcessEnv, receiverUrl: string): ObservedVariables {
  const isDisabled = DISABLED.test(environment["OTEL_SDK_DISABLED"]?.trim() ?? "");
  const endpoint =
    environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] ||
    environment["OTEL_EXPORTER_OTLP_ENDPOINT"] ||
    environment["OTEL_TRACES_EXPORTER"]?.replace(/^(otlp|none)$/, "");
  const variables = {
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiverUrl}/v1/traces`,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "none",
    OTEL_TRACES_SAMPLER: "always_on",
    OTEL_BSP_SCHEDULE_DELAY: "100",
    ...(isDisabled && { OTEL_SDK_DISABLED: "false", OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" }),
  };
  const note = isDisabled
    ? "--observe: traces are recorded for this terminal, although OTEL_SDK_DISABLED is set; metrics and logs are not sent."
    : endpoint
      ? `--observe: traces come to this terminal and do not go where the OTEL variables send them; metrics and logs do.`
      : undefined;
  return { variables, note };
}
