-- +goose Up

-- People with an account. Secrets are here as hashes only.
--
-- This only adds: programs of before don't know of it, and those of now have no
-- accounts until it is there.
CREATE TABLE account (
    id            text COLLATE "C" PRIMARY KEY,
    email         text             NOT NULL, -- as given
    email_key     text COLLATE "C" NOT NULL UNIQUE,
    password_hash bytea            NOT NULL,
    role          text             NOT NULL,
    created_at    bigint           NOT NULL,
    verified_at   bigint, -- null until the address was proved
    disabled_at   bigint, -- null while the account is open
    password_at   bigint           NOT NULL,
    failures      bigint           NOT NULL,
    locked_until  bigint
);

CREATE TABLE session (
    id            text COLLATE "C" PRIMARY KEY,
    account_id    text COLLATE "C" NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind          text             NOT NULL,
    created_at    bigint           NOT NULL,
    last_used_at  bigint           NOT NULL,
    expires_at    bigint           NOT NULL,
    ended_at      bigint, -- null while it goes on
    agent         text             NOT NULL,
    network       text             NOT NULL
);
CREATE INDEX session_by_account ON session (account_id, created_at);
CREATE INDEX session_by_expiry ON session (expires_at);
CREATE INDEX session_by_end ON session (ended_at) WHERE ended_at IS NOT NULL;

-- The secrets that a session had, so that one that comes again is known.
CREATE TABLE session_secret (
    hash          bytea            PRIMARY KEY,
    session_id    text COLLATE "C" NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    replaced_at   bigint -- null: it is the present one
);
CREATE INDEX session_secret_by_session ON session_secret (session_id);
CREATE UNIQUE INDEX session_secret_present ON session_secret (session_id) WHERE replaced_at IS NULL;
CREATE INDEX session_secret_replaced ON session_secret (replaced_at) WHERE replaced_at IS NOT NULL;

CREATE TABLE api_key (
    id            text COLLATE "C" PRIMARY KEY,
    account_id    text COLLATE "C" NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name          text             NOT NULL,
    prefix        text             NOT NULL,
    hash          bytea            NOT NULL UNIQUE,
    scopes        text             NOT NULL, -- a JSON array
    created_at    bigint           NOT NULL,
    expires_at    bigint,
    revoked_at    bigint,
    last_used_at  bigint
);
CREATE INDEX api_key_by_account ON api_key (account_id, created_at);
CREATE INDEX api_key_by_expiry ON api_key (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX api_key_by_revocation ON api_key (revoked_at) WHERE revoked_at IS NOT NULL;

-- One to reset at a time; each to verify has a password of its own.
CREATE TABLE single_use_token (
    hash          bytea            PRIMARY KEY,
    account_id    text COLLATE "C" NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    purpose       text COLLATE "C" NOT NULL,
    created_at    bigint           NOT NULL,
    expires_at    bigint           NOT NULL,
    pending       bytea            NOT NULL -- the hash of the password that it sets; empty: none
);
CREATE UNIQUE INDEX single_use_token_to_reset ON single_use_token (account_id) WHERE purpose = 'reset';
CREATE INDEX single_use_token_of_account ON single_use_token (account_id);
CREATE INDEX single_use_token_by_expiry ON single_use_token (expires_at);

-- Requests that must not be done twice, with what was answered.
CREATE TABLE attempt (
    owner         text COLLATE "C" NOT NULL,
    key           text COLLATE "C" NOT NULL,
    fingerprint   bytea            NOT NULL,
    lease_until   bigint           NOT NULL, -- when one that isn't finished may be begun anew
    keep_until    bigint           NOT NULL,
    finished      boolean          NOT NULL,
    answer        bytea            NOT NULL, -- empty until it is finished
    PRIMARY KEY (owner, key)
);
CREATE INDEX attempt_by_end ON attempt (keep_until);

CREATE TABLE audit_entry (
    seq           bigint           PRIMARY KEY,
    at            bigint           NOT NULL,
    action        text             NOT NULL,
    actor         text             NOT NULL,
    subject       text             NOT NULL,
    outcome       text             NOT NULL,
    reason        text             NOT NULL,
    network       text             NOT NULL,
    trace_id      text             NOT NULL,
    previous      bytea            NOT NULL, -- SHA-256 of the entry before
    hash          bytea            NOT NULL  -- SHA-256 of this one, previous included
);

-- The log only grows at its end.
-- +goose StatementBegin
CREATE FUNCTION audit_entry_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.seq <= (SELECT max(seq) FROM audit_entry) THEN
        RAISE EXCEPTION 'the audit log goes on behind its last entry' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN new;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_entry_goes_on BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_goes_on();

-- +goose StatementBegin
CREATE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the audit log are not changed or removed' USING ERRCODE = 'integrity_constraint_violation';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays();

-- +goose Down

DROP TABLE audit_entry;
DROP FUNCTION audit_entry_stays;
DROP FUNCTION audit_entry_goes_on;
DROP TABLE attempt;
DROP TABLE single_use_token;
DROP TABLE api_key;
DROP TABLE session_secret;
DROP TABLE session;
DROP TABLE account;
