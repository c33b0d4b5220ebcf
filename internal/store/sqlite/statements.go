package sqlite

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// maxStatement bounds one statement of a text that is read: those that are written
// here have a row more than bytesPerStatement at most.
const maxStatement = 256 << 20

// statementsOf yields the statements of an SQL text one by one, comments and all, as
// SQLite's shell takes it apart: at a semicolon that is in no string, no quoted name
// and no comment, and, of a trigger, at the one behind its END. An error is the last
// that comes; a text that ends within a statement is one.
func statementsOf(text io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		in := bufio.NewReaderSize(text, 1<<16)
		var s statement
		for {
			part, err := in.ReadSlice('\n')
			for len(part) > 0 {
				n, complete := s.add(part)
				part = part[n:]
				if complete && !yield(s.take(), nil) {
					return
				}
			}
			switch {
			case s.text.Len() > maxStatement:
				yield("", fmt.Errorf("a statement is longer than %d bytes", maxStatement))
				return
			case errors.Is(err, bufio.ErrBufferFull), err == nil:
			case errors.Is(err, io.EOF):
				if strings.TrimSpace(s.text.String()) != "" {
					yield("", fmt.Errorf("the text ends within a statement: %w", io.ErrUnexpectedEOF))
				}
				return
			default:
				yield("", err)
				return
			}
		}
	}
}

// statement is one that is being read.
type statement struct {
	text    bytes.Buffer
	within  byte // the sign that ends a string or a quoted name, '\n' in a comment; 0: neither
	dash    bool // the sign before was a dash
	word    []byte
	words   int  // that there were
	trigger bool // it makes a trigger
	ended   bool // the word before was END
}

// add takes up to the end of the statement from part, and reports whether that is
// there.
func (s *statement) add(part []byte) (n int, complete bool) {
	for i, c := range part {
		if s.step(c) {
			s.text.Write(part[:i+1])
			return i + 1, true
		}
	}
	s.text.Write(part)
	return len(part), false
}

// step takes a sign and reports whether the statement ends with it.
func (s *statement) step(c byte) bool {
	if s.within != 0 {
		if c == s.within { // one that is doubled begins the string anew
			s.within = 0
		}
		return false
	}
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= '0' && c <= '9'
	if letter {
		s.word = append(s.word, c)
		s.dash = false
		return false
	}
	s.endWord()
	switch {
	case c == '\'' || c == '"' || c == '`':
		s.within, s.ended = c, false
	case c == '-' && s.dash:
		s.within = '\n'
	case c == ';':
		return !s.trigger || s.ended
	case c != ' ' && c != '\n' && c != '\t' && c != '\r' && c != '-':
		s.ended = false
	}
	s.dash = c == '-'
	return false
}

func (s *statement) endWord() {
	if len(s.word) == 0 {
		return
	}
	word := strings.ToUpper(string(s.word))
	s.words++
	s.trigger = s.trigger || s.words <= 3 && word == "TRIGGER"
	s.ended = word == "END"
	s.word = s.word[:0]
}

// take returns the statement and begins the next one.
func (s *statement) take() string {
	text := s.text.String()
	*s = statement{}
	return text
}
