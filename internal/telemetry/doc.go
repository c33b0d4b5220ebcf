// Package telemetry tells operators what the program does: metrics for
// Prometheus, traces and logs for OpenTelemetry. It is the only package that knows
// the OpenTelemetry SDK, its exporters and the Prometheus client; others take a
// tracer of the OpenTelemetry API, a logger or a small hook from package app, and
// run the same without.
//
// It knows nothing of notices, agencies or requests. What must not leave the
// process (questions about units, addresses of people, secrets) is kept out where
// spans and log lines are made: nothing here takes it out again.
package telemetry
