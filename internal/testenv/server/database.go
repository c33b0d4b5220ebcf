package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// NewDatabase makes an empty database of a new name on the server that a URL
// names, whose user may do so, and returns the database's URL.
func NewDatabase(ctx context.Context, server string) (database string, err error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", errors.New("the URL of the test server can't be read") // it holds a password
	}
	u.Path = "/test_" + strings.ToLower(rand.Text())
	if err := administer(ctx, server, "CREATE DATABASE "+u.Path[1:]); err != nil {
		return "", err
	}
	return u.String(), nil
}

// DropDatabase removes a database that NewDatabase made, whoever uses it.
func DropDatabase(ctx context.Context, server, database string) error {
	u, err := url.Parse(database)
	if err != nil || !strings.HasPrefix(u.Path, "/test_") {
		return errors.New("the database to remove isn't one of a test")
	}
	return administer(ctx, server, "DROP DATABASE "+u.Path[1:]+" WITH (FORCE)")
}

func administer(ctx context.Context, server, statement string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("the test's PostgreSQL doesn't answer: %w", err)
	}
	defer conn.Close(ctx) //nolint:errcheck // the statement is done
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
