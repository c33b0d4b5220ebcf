package agency

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// EachElementAhead is EachElement for elements that are costly to read: work is
// called for several at the same time, on all processors, and what it returns is
// called for one after the other, in their order, in the caller's goroutine. A
// few elements for each processor are in memory. After an error no more is
// called; work may have been for elements that come later.
func EachElementAhead(d *json.Decoder, work func(position int, raw json.RawMessage) (deliver func() error)) error {
	workers := max(2, runtime.GOMAXPROCS(0)) // an element that waits for something holds up no other
	a := &ahead{work: work, stop: make(chan struct{}), toDo: make(chan element, aheadEach*workers), inOrder: make(chan element, aheadEach*workers)}
	var busy sync.WaitGroup
	defer busy.Wait() // the decoder and whatever work uses are the caller's again
	defer close(a.stop)
	busy.Go(func() { a.read(d) })
	for range workers {
		busy.Go(func() {
			for e := range a.toDo {
				e.deliver <- a.guarded(e)
			}
		})
	}
	for e := range a.inOrder {
		if err := (<-e.deliver)(); err != nil {
			return err
		}
	}
	return a.err
}

// aheadEach is how many elements may wait for each processor: a few, so that one
// that takes long holds up nobody.
const aheadEach = 8

// ahead is the reading of an array under way.
type ahead struct {
	work    func(int, json.RawMessage) func() error
	stop    chan struct{}
	toDo    chan element
	inOrder chan element
	err     error // of the array; to be read when inOrder is closed
}

type element struct {
	position int
	raw      json.RawMessage
	deliver  chan func() error
}

// read hands every element on, twice: to be worked on, and to be waited for.
func (a *ahead) read(d *json.Decoder) {
	defer close(a.inOrder)
	defer close(a.toDo)
	a.err = EachElement(d, func(position int, raw json.RawMessage) error {
		e := element{position, raw, make(chan func() error, 1)}
		for _, to := range []chan<- element{a.toDo, a.inOrder} {
			select {
			case to <- e:
			case <-a.stop:
				return errStopped
			}
		}
		return nil
	})
}

var errStopped = errors.New("nobody wants further elements")

// guarded calls work. A panic of its becomes one of the caller's goroutine, which
// may expect it; anywhere else it would end the program.
func (a *ahead) guarded(e element) (deliver func() error) {
	defer func() {
		if v := recover(); v != nil {
			stack := debug.Stack()
			deliver = func() error { panic(fmt.Sprintf("%v\n%s", v, stack)) }
		}
	}()
	return a.work(e.position, e.raw)
}
