// Package telemetry is how the program is seen from outside while it runs: the
// registry of its metrics for Prometheus, its traces and logs for OpenTelemetry.
//
// It knows nothing of what it counts and tells: the composition root hands its
// methods to whoever does the work, as plain functions, tracers of the
// OpenTelemetry API and loggers. No package of the program imports it but that one
// and the command, and neither the Prometheus library nor the OpenTelemetry SDK
// stands in any other. What must not leave the process (questions about units,
// addresses of people, secrets) is kept out where spans and log lines are made:
// nothing here takes it out again.
package telemetry
