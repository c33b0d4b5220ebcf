package traffic

import "time"

// Point is what happened in a stretch of time, per second.
type Point struct {
	Requests float64
	Refused  float64 // the fault was the asker's: 4xx
	Failing  float64 // the fault was ours: 5xx
}

// Summary is how a stretch of time went.
type Summary struct {
	Requests, Refused, Failing int64
	PerSecond                  float64
	P50, P95, P99              time.Duration // of the answers' durations, at most a fifth below what is told; 0 when there were none
}

// Summary sums up the last so long before now; the second that goes on isn't over,
// and not in it.
func (r *Recorder) Summary(now time.Time, last time.Duration) Summary {
	var sum Summary
	var took [spans]int64
	end := now.Unix()
	for at := end - min(int64(last/time.Second), seconds-1); at < end; at++ {
		s := r.second(at)
		if s == nil {
			continue
		}
		sum.Requests += s.requests.Load()
		sum.Refused += s.refused.Load()
		sum.Failing += s.failing.Load()
		for i := range took {
			took[i] += int64(s.took[i].Load())
		}
	}
	sum.PerSecond = float64(sum.Requests) / last.Seconds()
	sum.P50, sum.P95, sum.P99 = percentile(&took, 50), percentile(&took, 95), percentile(&took, 99)
	return sum
}

// Rates returns the rates of the last so long before now, in points of a width each,
// the oldest first.
func (r *Recorder) Rates(now time.Time, last, width time.Duration) []Point {
	points := make([]Point, last/width)
	step := int64(width / time.Second)
	begin := now.Unix() - int64(len(points))*step
	for i := range points {
		for at := begin + int64(i)*step; at < begin+int64(i+1)*step; at++ {
			if s := r.second(at); s != nil {
				points[i].Requests += float64(s.requests.Load()) / width.Seconds()
				points[i].Refused += float64(s.refused.Load()) / width.Seconds()
				points[i].Failing += float64(s.failing.Load()) / width.Seconds()
			}
		}
	}
	return points
}

// second returns what is remembered of a second; nil: nothing happened in it.
func (r *Recorder) second(at int64) *second {
	if s := r.slots[at%seconds].Load(); s != nil && s.at == at {
		return s
	}
	return nil
}

// percentile is the end of the span in which the nearest rank's value lies.
func percentile(took *[spans]int64, p int64) time.Duration {
	var all, seen int64
	for _, n := range took {
		all += n
	}
	if all == 0 {
		return 0
	}
	rank := (all*p + 99) / 100
	for i, n := range took {
		if seen += n; seen >= rank {
			return spanEnd(i)
		}
	}
	return spanEnd(spans - 1)
}
