package stock

import (
	"bufio"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// lineFeeds makes every line end, CR LF or CR alone, a line feed. Package csv
// knows no lone CR: a list written so would pass for a header without rows.
type lineFeeds struct {
	in      io.Reader
	afterCR bool
}

func (l *lineFeeds) Read(p []byte) (int, error) {
	for {
		n, err := l.in.Read(p)
		kept := p[:0]
		for _, c := range p[:n] {
			switch {
			case c == '\r':
				kept = append(kept, '\n')
			case c != '\n' || !l.afterCR:
				kept = append(kept, c)
			}
			l.afterCR = c == '\r'
		}
		if len(kept) > 0 || n == 0 || err != nil {
			return len(kept), err
		}
	}
}

// western reads a text that doesn't say how it is written. It stays as it is
// until the first letters beyond ASCII show that they are no UTF-8; from there on
// it is read as Windows-1252, in which spreadsheets write by default.
type western struct {
	in      *bufio.Reader
	decided bool
	is      bool
	pending []byte // of a letter that had no room
}

func (w *western) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if n := copy(p, w.pending); n > 0 {
		w.pending = w.pending[n:]
		return n, nil
	}
	if w.decided && !w.is {
		return w.in.Read(p)
	}
	if _, err := w.in.Peek(1); err != nil {
		return 0, err
	}
	if !w.is {
		head, _ := w.in.Peek(w.in.Buffered())
		ascii := 0
		for ascii < len(head) && head[ascii] < utf8.RuneSelf {
			ascii++
		}
		if ascii > 0 {
			return w.in.Read(p[:min(len(p), ascii)])
		}
		window, _ := w.in.Peek(w.in.Size()) // an error comes again when its place is read
		w.decided, w.is = true, !mostlyUTF8(window)
		return w.Read(p)
	}
	n := 0
	for n < len(p) && len(w.pending) == 0 && w.in.Buffered() > 0 {
		c, _ := w.in.ReadByte() // it is buffered
		letter := []byte{c}     // one that Windows-1252 doesn't have stays, so that its row is a fault
		if r := charmap.Windows1252.DecodeByte(c); r != utf8.RuneError {
			letter = utf8.AppendRune(nil, r)
		}
		k := copy(p[n:], letter)
		n, w.pending = n+k, letter[k:]
	}
	return n, nil
}

// mostlyUTF8 reports that the letters beyond ASCII are UTF-8. A damaged one
// among good ones doesn't make a text another encoding's: its row is a fault.
func mostlyUTF8(text []byte) bool {
	good, bad := 0, 0
	for len(text) > 0 && utf8.FullRune(text) {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			bad++
		case size > 1:
			good++
		}
		text = text[size:]
	}
	return good > 0 && good >= bad
}
