/** One system whose telemetry several groups of tests look at, since each takes seconds to start; both are there when a test runs. */
import type { RunningServices } from "@gatehouse/test-kit";
import type { OtlpReceiver } from "@gatehouse/test-kit/otlp";
export interface TelemetryStack {
  readonly system: RunningServices;
  readonly receiver: OtlpReceiver;
}
