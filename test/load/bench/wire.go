package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
)

// get writes the request for an address as its bytes go over the wire.
func get(uri string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", uri)
}

// head is what the client reads of a response's head.
type head struct {
	status, length int
	serial         int64 // Crown-Safe-Serial; 0 when there is none
	close          bool  // the server won't take another request
}

// readHead reads the head of a response up to the body. It knows only what the
// servers under measurement send: a status line of HTTP/1.1 and a
// Content-Length; anything else is an error, never a guess.
func readHead(in *bufio.Reader) (head, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return head{}, fmt.Errorf("reading the status line: %w", err)
	}
	const version = "HTTP/1.1 "
	if !bytes.HasPrefix(line, []byte(version)) || len(line) < len(version)+3 {
		return head{}, fmt.Errorf("%q is no status line", line)
	}
	h := head{length: -1}
	status, err := number(line[len(version) : len(version)+3])
	if err != nil {
		return head{}, fmt.Errorf("reading the status: %w", err)
	}
	h.status = int(status)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return head{}, fmt.Errorf("reading the headers: %w", err)
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if err := h.take(line); err != nil {
			return head{}, err
		}
	}
	if h.length < 0 {
		return head{}, errors.New("the response has no Content-Length")
	}
	return h, nil
}

// Names as net/http writes them.
var (
	lengthName = []byte("Content-Length: ")
	serialName = []byte("Crown-Safe-Serial: ")
	closeLine  = []byte("Connection: close")
)

// take reads one header line.
func (h *head) take(line []byte) error {
	switch {
	case bytes.HasPrefix(line, lengthName):
		n, err := number(line[len(lengthName):])
		if err != nil {
			return fmt.Errorf("reading Content-Length: %w", err)
		}
		h.length = int(n)
	case bytes.HasPrefix(line, serialName):
		n, err := number(line[len(serialName):])
		if err != nil {
			return fmt.Errorf("reading Crown-Safe-Serial: %w", err)
		}
		h.serial = n
	case bytes.Equal(line, closeLine):
		h.close = true
	}
	return nil
}

// number reads decimal digits without making a string of them first.
func number(digits []byte) (int64, error) {
	const most = 15 // digits, far from overflow
	if len(digits) == 0 || len(digits) > most {
		return 0, fmt.Errorf("%q is no number", digits)
	}
	var n int64
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, fmt.Errorf("%q is no number", digits)
		}
		n = n*10 + int64(d-'0')
	}
	return n, nil
}

// expectation is what a right answer looks like. Answers tell the age of the
// sources, so that their length moves a little.
type expectation struct {
	begins []byte
	length int // of the body; 0: any
}

const lengthSlack = 64

// client is one keep-alive connection.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte // of the last answer that was looked at
}

const clientBuffer = 64 << 10

func dial(address string) (*client, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, clientBuffer)}, nil
}

// ask sends a request and reads the answer to its end; when look is true the
// body is kept and compared with what is expected, else only counted.
func (c *client) ask(request []byte, want *expectation, look bool) (head, error) {
	if _, err := c.conn.Write(request); err != nil {
		return head{}, fmt.Errorf("asking: %w", err)
	}
	h, err := readHead(c.in)
	if err != nil {
		return head{}, err
	}
	if h.status != http.StatusOK {
		return h, fmt.Errorf("%.80q is answered with status %d", request, h.status)
	}
	if want.length > 0 && (h.length < want.length-lengthSlack || h.length > want.length+lengthSlack) {
		return h, fmt.Errorf("%.80q is answered with %d bytes instead of %d", request, h.length, want.length)
	}
	if !look {
		if _, err := c.in.Discard(h.length); err != nil {
			return h, fmt.Errorf("reading the body: %w", err)
		}
		return h, nil
	}
	c.body = append(c.body[:0], make([]byte, h.length)...)
	if _, err := io.ReadFull(c.in, c.body); err != nil {
		return h, fmt.Errorf("reading the body: %w", err)
	}
	if !bytes.HasPrefix(c.body, want.begins) {
		return h, fmt.Errorf("%.80q is answered with %.80q instead of %q", request, c.body, want.begins)
	}
	return h, nil
}

func (c *client) close() { _ = c.conn.Close() } // nothing is lost with it

// answer is one whole answer, to be played again by the bare handler.
type answer struct {
	URI    string
	Header http.Header // without Date, which net/http adds itself
	Body   []byte
}

// fetch gets an answer with all that belongs to it.
func fetch(address, uri string) (answer, error) {
	response, err := http.Get("http://" + address + uri)
	if err != nil {
		return answer{}, fmt.Errorf("asking: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer to %s: %w", uri, err)
	}
	if response.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("%s is answered with status %d: %s", uri, response.StatusCode, body)
	}
	a := answer{URI: uri, Header: response.Header, Body: body}
	a.Header.Set("Content-Length", strconv.Itoa(len(body)))
	a.Header.Del("Date")
	return a, nil
}
