import type { RunningServices } from "@gatehouse/testing";
import type { OtlpReceiver } from "@gatehouse/testing/otlp";

/** One system whose telemetry several groups of tests look at, since each takes seconds to start; both are there when a test runs. */
export interface TelemetryStack {
  readonly system: RunningServices;
  readonly receiver: OtlpReceiver;
}
