package agency

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// mostBroken is how many items may fail before EachItem gives up: then it is
// not the items that are broken.
const mostBroken = 5

// EachItem gets items one after the other, with a pause of at least pace between
// two, and adds them to a series. An item that is there no more (404 or 410) is
// passed over. broken joins the errors of items that could not be had; err ends
// the series, whose payloads so far were handed over then.
func EachItem(ctx context.Context, addresses []string, pace time.Duration, ask func(address string) (Answer, error), series *Series) (broken, err error) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	failures := 0
	for _, address := range addresses {
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), series.End(false))
		}
		pause.Reset(pace)
		answer, err := ask(address)
		if err == nil {
			if err := series.Add(answer.Payload(false)); err != nil {
				return nil, err
			}
			continue
		}
		if status, ok := errors.AsType[*StatusError](err); ok && (status.Status == http.StatusNotFound || status.Status == http.StatusGone) {
			continue
		}
		broken = errors.Join(broken, err)
		if failures++; failures > mostBroken || !NarrowerMayWork(err) {
			return nil, errors.Join(broken, series.End(false))
		}
	}
	return broken, nil
}
