package api

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// LogLevels are the levels from which on each package logs, in this process.
type LogLevels interface {
	// Known lists the packages that log, in order.
	Known() []string
	// Get returns the level of the packages that have none of their own, and those
	// that have one.
	Get() (normal slog.Level, own map[string]slog.Level)
	// Set replaces all of them; an error is that of a package that isn't known.
	Set(normal slog.Level, own map[string]slog.Level) error
}

// LogLevelNames are levels by the names that people give them.
type LogLevelNames struct {
	Default  string            `json:"default" enum:"debug,info,warn,error" doc:"of the packages that have none of their own"`
	Packages map[string]string `json:"packages" doc:"debug, info, warn or error, by package"`
}

// LogLevelAnswer tells the levels that hold now.
type LogLevelAnswer struct {
	LogLevelNames
	Known []string `json:"known" doc:"the packages that there are"`
}

func (s *service) registerLogLevels(api huma.API) {
	const path, about = "/api/v1/monitoring/log-levels", " In the process that answers: others have their own. For operators."
	op := operation("log-levels", http.MethodGet, path, tagHealth, "What is logged", "The level from which on each package logs."+about)
	handle[struct{}, LogLevelAnswer](s, api, op, func(context.Context, *struct{}) (*answer, error) {
		return s.logLevels()
	})
	op = operation("set-log-levels", http.MethodPut, path, tagHealth, "Change what is logged",
		"Replaces all levels, until the process ends: a package that isn't named goes by the default."+about, http.StatusUnprocessableEntity)
	type request struct{ Body LogLevelNames }
	handle[request, LogLevelAnswer](s, api, op, func(ctx context.Context, in *request) (*answer, error) {
		if s.LogLevels == nil {
			return s.logLevels()
		}
		normal, own, p := in.Body.levels(s.LogLevels.Known())
		if p != nil {
			return nil, p
		}
		if err := s.LogLevels.Set(normal, own); err != nil {
			return nil, err
		}
		s.Logger.LogAttrs(ctx, slog.LevelWarn, "the log's levels were changed", slog.String("default", in.Body.Default), slog.Any("packages", in.Body.Packages),
			slog.String("caller", callerOf(ctx).Name()))
		return s.logLevels()
	})
}

// levels reads names, or says which can't be read.
func (l *LogLevelNames) levels(known []string) (normal slog.Level, own map[string]slog.Level, p *Problem) {
	own = map[string]slog.Level{}
	if !readLevel(l.Default, &normal) { // the schema has looked before
		return normal, nil, fieldProblem(codeInvalid, "body.default", "must be debug, info, warn or error", l.Default)
	}
	for _, name := range slices.Sorted(maps.Keys(l.Packages)) {
		if !slices.Contains(known, name) {
			return normal, nil, fieldProblem(codeInvalid, "body.packages."+shown("", name), "must be one of "+strings.Join(known, ", "), name)
		}
		var level slog.Level
		if !readLevel(l.Packages[name], &level) {
			return normal, nil, fieldProblem(codeInvalid, "body.packages."+name, "must be debug, info, warn or error", l.Packages[name])
		}
		own[name] = level
	}
	return normal, own, nil
}

var levelNames = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

func readLevel(name string, level *slog.Level) (ok bool) {
	*level, ok = levelNames[name]
	return ok
}

// nameLevel names a level; those in between, as settings may give them, by the next
// one above.
func nameLevel(level slog.Level) string {
	switch {
	case level <= slog.LevelDebug:
		return "debug"
	case level <= slog.LevelInfo:
		return "info"
	case level <= slog.LevelWarn:
		return "warn"
	}
	return "error"
}

func (s *service) logLevels() (*answer, error) {
	now := LogLevelAnswer{LogLevelNames: LogLevelNames{Default: nameLevel(slog.LevelInfo), Packages: map[string]string{}}, Known: []string{}}
	if s.LogLevels != nil {
		normal, own := s.LogLevels.Get()
		now.Default, now.Known = nameLevel(normal), s.LogLevels.Known()
		for name, level := range own {
			now.Packages[name] = nameLevel(level)
		}
	}
	return uncached(s.Catalogue.Current().Serial(), now)
}
