// Package telemetry is how the program is seen from outside while it runs: the
// registry of its metrics.
//
// It knows nothing of what it counts: the composition root hands its methods to
// whoever does the work, as plain functions. No package of the program imports it
// but that one, and the Prometheus library stands in no other.
package telemetry
