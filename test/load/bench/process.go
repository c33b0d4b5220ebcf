package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience bounds every wait for a process.
const patience = 2 * time.Minute

// server is a child process that answers HTTP and logs to a file, which costs
// its reader nothing, unlike a pipe.
type server struct {
	cmd     *exec.Cmd
	address string
	log     string
	started time.Time
	ended   chan error // holds what Wait said, once it has ended
}

// startServer starts a command that logs one JSON line with msg "listening" and
// its addr, and waits for that line.
func startServer(cmd *exec.Cmd, logFile string) (*server, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the log of %s: %w", cmd.Path, err)
	}
	defer log.Close()
	cmd.Stderr = log
	s := &server{cmd: cmd, log: logFile, started: time.Now(), ended: make(chan error, 1)}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	go func() { s.ended <- cmd.Wait() }()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		text, err := os.ReadFile(logFile)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("reading the log of %s: %w", cmd.Path, err), s.stop())
		}
		if s.address = listeningAt(text); s.address != "" {
			return s, nil
		}
		select {
		case err := <-s.ended:
			return nil, fmt.Errorf("%s ended before it listened (%w): %s", cmd.Path, err, text)
		case <-look.C:
		}
		if time.Since(s.started) > patience {
			return nil, errors.Join(fmt.Errorf("%s does not listen after %s: %s", cmd.Path, patience, text), s.stop())
		}
	}
}

// listeningAt finds the address in the log lines; "" as long as it isn't there.
func listeningAt(log []byte) string {
	for line := range bytes.Lines(log) {
		var entry struct{ Msg, Addr string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" {
			return entry.Addr
		}
	}
	return ""
}

// clearLog empties the log, which grows with every request.
func (s *server) clearLog() error {
	if err := os.Truncate(s.log, 0); err != nil {
		return fmt.Errorf("emptying the log: %w", err)
	}
	return nil
}

// stop asks the process to end, and makes it when it doesn't.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	select {
	case <-s.ended:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s had to be killed: %w", s.cmd.Path, s.cmd.Process.Kill())
	}
}

// resident returns the resident memory in bytes, now and at its highest.
func (s *server) resident() (now, highest int64, err error) {
	return resident(strconv.Itoa(s.cmd.Process.Pid))
}

// resident is server.resident for any process, by its name below /proc.
func resident(process string) (now, highest int64, err error) {
	status, err := os.ReadFile("/proc/" + process + "/status")
	if err != nil {
		return 0, 0, fmt.Errorf("reading a process's memory: %w", err)
	}
	if now, err = kibibytes(status, "VmRSS"); err != nil {
		return 0, 0, err
	}
	highest, err = kibibytes(status, "VmHWM")
	return now, highest, err
}

// kibibytes reads a field of /proc/PID/status, which counts in KiB (proc_pid_status(5)).
func kibibytes(status []byte, field string) (int64, error) {
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, field+":"); ok {
			text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB"))
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("reading %s %q: %w", field, text, err)
			}
			return n << 10, nil
		}
	}
	return 0, fmt.Errorf("no %s in the process's status", field)
}

// cpu returns the processor time that the process has used.
func (s *server) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("reading the processor time of %s: %w", s.cmd.Path, err)
	}
	return processorTime(string(stat))
}

// tick is the unit of times in /proc/PID/stat: USER_HZ, 100 on every Linux.
const tick = time.Second / 100

// processorTime reads utime and stime, the 14th and 15th field of
// /proc/PID/stat (proc_pid_stat(5)). The second field, the command in
// parentheses, may hold blanks and parentheses itself.
func processorTime(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const utime, stime = 14 - 3, 15 - 3 // fields holds the third and the following
	if len(fields) <= stime {
		return 0, fmt.Errorf("%q is no process's stat", stat)
	}
	user, err := strconv.ParseInt(fields[utime], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading utime: %w", err)
	}
	system, err := strconv.ParseInt(fields[stime], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading stime: %w", err)
	}
	return time.Duration(user+system) * tick, nil
}
