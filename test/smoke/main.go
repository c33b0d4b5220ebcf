// Command smoke asks a running service, from outside and as anybody could, whether
// it keeps the heart of its contract: that it lives, has a catalogue and a
// database, and that a product which its own catalogue lists as recalled is not
// answered with "no match". The pipeline runs it after each deployment and takes
// the deployment back when it fails.
//
//	go run ./test/smoke https://staging.crownsafe.com
//
// It exits 0 when everything held, 1 when something didn't, and 2 when it was used
// wrongly. It shows no credentials, changes nothing, and must not know how the
// service is built or where it runs.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := realMain(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func realMain(ctx context.Context, args []string, out, faults io.Writer) int {
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	flags.SetOutput(faults)
	patience := flags.Duration("patience", time.Minute, "how long the service may take to become ready")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		fmt.Fprintln(faults, "usage: smoke [-patience DURATION] URL")
		return 2
	}
	base, err := url.Parse(strings.TrimSuffix(flags.Arg(0), "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		fmt.Fprintf(faults, "smoke: %q is no address of a service, such as https://staging.crownsafe.com\n", flags.Arg(0))
		return 2
	}
	s := &service{base: base, client: &http.Client{Timeout: 10 * time.Second}}
	if err := s.wait(ctx, *patience); err != nil {
		fmt.Fprintln(faults, "smoke:", err)
		return 1
	}
	failed := 0
	for _, c := range checks {
		if err := c.check(ctx, s); err != nil {
			failed++
			fmt.Fprintf(faults, "FAIL  %s: %v\n", c.name, err)
			continue
		}
		fmt.Fprintf(out, "ok    %s\n", c.name)
	}
	if failed > 0 {
		fmt.Fprintf(faults, "smoke: %d of %d checks failed at %s\n", failed, len(checks), base)
		return 1
	}
	return 0
}
