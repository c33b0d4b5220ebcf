-- +goose Up

-- People with an account. Secrets are here as hashes only.
CREATE TABLE account (
    id            TEXT    PRIMARY KEY,
    email         TEXT    NOT NULL, -- as given
    email_key     TEXT    NOT NULL UNIQUE,
    password_hash BLOB    NOT NULL,
    role          TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    verified_at   INTEGER, -- null until the address was proved
    disabled_at   INTEGER, -- null while the account is open
    password_at   INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    locked_until  INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    id           TEXT    PRIMARY KEY,
    account_id   TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    ended_at     INTEGER, -- null while it goes on
    agent        TEXT    NOT NULL,
    network      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_account ON session (account_id, created_at);
CREATE INDEX session_by_expiry ON session (expires_at);
CREATE INDEX session_by_end ON session (ended_at) WHERE ended_at IS NOT NULL;

-- The secrets that a session had, so that one that comes again is known.
CREATE TABLE session_secret (
    hash        BLOB    PRIMARY KEY,
    session_id  TEXT    NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    replaced_at INTEGER -- null: it is the present one
) STRICT, WITHOUT ROWID;
CREATE INDEX session_secret_by_session ON session_secret (session_id);
CREATE UNIQUE INDEX session_secret_present ON session_secret (session_id) WHERE replaced_at IS NULL;
CREATE INDEX session_secret_replaced ON session_secret (replaced_at) WHERE replaced_at IS NOT NULL;

CREATE TABLE api_key (
    id           TEXT    PRIMARY KEY,
    account_id   TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    prefix       TEXT    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE,
    scopes       TEXT    NOT NULL, -- a JSON array
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_key_by_account ON api_key (account_id, created_at);
CREATE INDEX api_key_by_expiry ON api_key (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX api_key_by_revocation ON api_key (revoked_at) WHERE revoked_at IS NOT NULL;

-- One to reset at a time; each to verify has a password of its own.
CREATE TABLE single_use_token (
    hash       BLOB    PRIMARY KEY,
    account_id TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    purpose    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    pending    BLOB    NOT NULL -- the hash of the password that it sets; empty: none
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX single_use_token_to_reset ON single_use_token (account_id) WHERE purpose = 'reset';
CREATE INDEX single_use_token_of_account ON single_use_token (account_id);
CREATE INDEX single_use_token_by_expiry ON single_use_token (expires_at);

-- Requests that must not be done twice, with what was answered.
CREATE TABLE attempt (
    owner       TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    lease_until INTEGER NOT NULL, -- when one that isn't finished may be begun anew
    keep_until  INTEGER NOT NULL,
    finished    INTEGER NOT NULL CHECK (finished IN (0, 1)),
    answer      BLOB    NOT NULL, -- empty until it is finished
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_by_end ON attempt (keep_until);

CREATE TABLE audit_entry (
    seq      INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    action   TEXT    NOT NULL,
    actor    TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    outcome  TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    network  TEXT    NOT NULL,
    trace_id TEXT    NOT NULL,
    previous BLOB    NOT NULL, -- SHA-256 of the entry before
    hash     BLOB    NOT NULL  -- SHA-256 of this one, previous included
) STRICT;

-- The log only grows at its end. The first of these refuses INSERT OR REPLACE too,
-- for which SQLite asks no trigger on DELETE.
-- +goose StatementBegin
CREATE TRIGGER audit_entry_goes_on BEFORE INSERT ON audit_entry
WHEN new.seq <= (SELECT max(seq) FROM audit_entry)
BEGIN
    SELECT raise(ABORT, 'the audit log goes on behind its last entry');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entry_stays BEFORE UPDATE ON audit_entry
BEGIN
    SELECT raise(ABORT, 'entries of the audit log are not changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entry_remains BEFORE DELETE ON audit_entry
BEGIN
    SELECT raise(ABORT, 'entries of the audit log are not removed');
END;
-- +goose StatementEnd

-- +goose Down

DROP TABLE audit_entry;
DROP TABLE attempt;
DROP TABLE single_use_token;
DROP TABLE api_key;
DROP TABLE session_secret;
DROP TABLE session;
DROP TABLE account;
