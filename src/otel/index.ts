/**
 * `s3-mutex/otel`: OpenTelemetry metrics and spans of all mutexes in this process.
 *
 * @packageDocumentation
 */

export { startTelemetry, type Telemetry, type TelemetryOptions } from "./telemetry.js";
