package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
)

// stamp is set by the linker: -X main.stamp=v1.2.3.
var stamp string

// version is the stamped version, else what the build recorded of its source.
func version() string {
	if stamp != "" {
		return stamp
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			revision = "-" + s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+changes"
		}
	}
	return "devel" + revision + modified
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s *session) error {
	if s.json {
		return json.NewEncoder(s.env.stdout).Encode(map[string]string{
			"version": version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
		})
	}
	_, err := fmt.Fprintf(s.env.stdout, "crownsafe %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
