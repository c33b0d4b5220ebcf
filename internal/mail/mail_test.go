package mail

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// postOffice is a mail server that speaks as much of SMTP (RFC 5321) as a letter
// needs, with STARTTLS and AUTH PLAIN.
type postOffice struct {
	addr    string
	roots   *x509.CertPool
	config  *tls.Config
	letters chan string // transcripts, the TLS of a letter's connection noted
	refuse  string      // the answer to RCPT; "": it is taken
}

func openPostOffice(t *testing.T, refuse string) *postOffice {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{roots: x509.NewCertPool(), letters: make(chan string, 10), refuse: refuse}
	p.roots.AddCert(certificate)
	p.config = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	p.addr = "localhost:" + port
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.serve(conn)
		}
	}()
	return p
}

func (p *postOffice) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	var transcript strings.Builder
	in := bufio.NewReader(conn)
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	say("220 here")
	encrypted := false
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb := strings.ToUpper(strings.TrimSpace(line))
		switch {
		case strings.HasPrefix(verb, "EHLO"):
			if encrypted {
				say("250-here\r\n250 AUTH PLAIN")
			} else {
				say("250-here\r\n250 STARTTLS")
			}
		case verb == "STARTTLS":
			say("220 go on")
			secured := tls.Server(conn, p.config)
			if secured.Handshake() != nil {
				return
			}
			conn, in, encrypted = secured, bufio.NewReader(secured), true
			transcript.WriteString("TLS\n")
		case strings.HasPrefix(verb, "AUTH PLAIN"):
			said, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line[len("AUTH PLAIN"):]))
			transcript.Write(said)
			say("235 welcome")
		case strings.HasPrefix(verb, "RCPT") && p.refuse != "":
			say(p.refuse)
		case verb == "DATA":
			say("354 go on")
			for {
				text, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if text == ".\r\n" {
					break
				}
				transcript.WriteString(text)
			}
			say("250 taken")
			p.letters <- transcript.String()
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

var hello = Message{To: "ada@example.org", Subject: "Hello", Text: "A line.\n"}

func TestALetterGoesOverTLSWithThePassword(t *testing.T) {
	p := openPostOffice(t, "")
	s, err := NewSMTP(SMTPOptions{URL: "smtp://robot:hunter%402@" + p.addr, From: "Crown Safe <robot@example.org>", Roots: p.roots})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	letter := <-p.letters
	for _, part := range []string{"TLS\n", "\x00robot\x00hunter@2", "Subject: Hello", "ada@example.org", "A line."} {
		if !strings.Contains(letter, part) {
			t.Errorf("no %q in %q", part, letter)
		}
	}
}

func TestAServerThatIsNotTheOneGetsNothing(t *testing.T) {
	p := openPostOffice(t, "")
	s, err := NewSMTP(SMTPOptions{URL: "smtp://robot:hunter2@" + p.addr, From: "robot@example.org"}) // the system's roots don't know it
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), hello); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("sent to a stranger: %v", err)
	}
	if len(p.letters) != 0 {
		t.Error("the stranger has the letter")
	}
}

func TestRefusalsNameNobody(t *testing.T) {
	for answer, final := range map[string]bool{"550 no ada@example.org here": true, "450 ada@example.org is busy": false} {
		p := openPostOffice(t, answer)
		s, err := NewSMTP(SMTPOptions{URL: "smtp://" + p.addr, From: "robot@example.org", Roots: p.roots})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Send(t.Context(), hello)
		if err == nil || errors.Is(err, ErrRefused) != final || strings.Contains(err.Error(), "ada@") {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

func TestAddressesOfServers(t *testing.T) {
	for _, bad := range []string{"", "mail.example.org", "http://x", "smtp://", "smtp://h?tls=on", "smtps://h?tls=off", "smtp://h:99999", "smtp://u:hunter2@h/path"} {
		if _, err := NewSMTP(SMTPOptions{URL: bad, From: "a@example.org"}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, good := range []string{"smtp://h", "smtps://u:p@h", "smtp://localhost:25?tls=off"} {
		if _, err := NewSMTP(SMTPOptions{URL: good, From: "A <a@example.org>"}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

// clumsy fails so many times, and then keeps letters.
type clumsy struct {
	mu    sync.Mutex
	fails int
	err   error
	got   chan Message
}

func (c *clumsy) Send(_ context.Context, m Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fails > 0 {
		c.fails--
		return c.err
	}
	c.got <- m
	return nil
}

func TestLettersAreSentAgainAndAtTheEnd(t *testing.T) {
	c := &clumsy{fails: 2, err: errors.New("busy"), got: make(chan Message, 10)}
	q := NewQueue(c, QueueOptions{FirstWait: time.Millisecond})
	for range 3 {
		if err := q.Send(hello); err != nil {
			t.Fatal(err)
		}
	}
	q.Close(t.Context())
	if len(c.got) != 3 {
		t.Errorf("%d letters arrived", len(c.got))
	}
	if err := q.Send(hello); !errors.Is(err, ErrFull) {
		t.Errorf("after the end: %v", err)
	}
}

func TestALetterThatIsRefusedIsGivenUp(t *testing.T) {
	c := &clumsy{fails: 1, err: ErrRefused, got: make(chan Message, 10)}
	var log strings.Builder
	q := NewQueue(c, QueueOptions{FirstWait: time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err := errors.Join(q.Send(hello), q.Send(hello)); err != nil {
		t.Fatal(err)
	}
	q.Close(t.Context())
	if len(c.got) != 1 || !strings.Contains(log.String(), "given up") || strings.Contains(log.String(), "ada@") {
		t.Errorf("%d letters arrived; the log: %s", len(c.got), &log)
	}
}

// greylisting refuses one mailbox for now, and keeps what goes to others.
type greylisting struct {
	mailbox string
	got     chan Message
}

func (g greylisting) Send(_ context.Context, m Message) error {
	if m.To == g.mailbox {
		return errors.New("450 later")
	}
	g.got <- m
	return nil
}

func TestAMailboxThatRefusesHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := greylisting{"full@example.org", make(chan Message, 10)}
		q := NewQueue(g, QueueOptions{Most: 20})
		for range 10 {
			if err := q.Send(Message{To: g.mailbox}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if err := q.Send(hello); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // no time passes
		if len(g.got) != 1 {
			t.Errorf("%d letters arrived behind a mailbox that refuses", len(g.got))
		}
		for range 10 { // and those that wait to be sent again are counted
			if err := q.Send(Message{To: g.mailbox}); err != nil {
				t.Fatal(err)
			}
		}
		if err := q.Send(hello); !errors.Is(err, ErrFull) || !q.Full() {
			t.Errorf("a letter more than may wait: %v", err)
		}
		time.Sleep(5 * time.Minute) // all attempts of all of them
		synctest.Wait()
		if q.Full() || q.Send(hello) != nil {
			t.Error("letters that were given up take room")
		}
		q.Close(t.Context())
		if len(g.got) != 2 {
			t.Errorf("%d letters arrived", len(g.got))
		}
	})
}

func TestAFolderHoldsLettersForTheirOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	if err := NewFolder(dir, "a@example.org", slog.New(slog.DiscardHandler)).Send(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
}
