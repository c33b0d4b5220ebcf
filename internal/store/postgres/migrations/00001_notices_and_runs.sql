-- +goose Up

-- Times are microseconds since 1970 in UTC, as in every store, so that a notice
-- is the same wherever it is kept. Hashes are hexadecimal. Text is compared by
-- its bytes, so that lists have one order everywhere. What agencies and file
-- names have written, and errors that quote it, may be no text to PostgreSQL, with
-- a character 0 or broken UTF-8 in it: it is kept as bytes, which
-- encode(reason, 'escape') shows.

-- Which store this is, among all that there are: a random UUID (RFC 9562, version 4).
CREATE TABLE identity (
    only_row smallint PRIMARY KEY CHECK (only_row = 1),
    value    uuid     NOT NULL
);
INSERT INTO identity (only_row, value) VALUES (1, gen_random_uuid());

-- The last serial that was given out. Whoever changes notices locks this row
-- first and holds it to the end: serials are committed in their order, without
-- gaps, and no two processes decide on one notice at once.
CREATE TABLE last_serial (
    only_row smallint PRIMARY KEY CHECK (only_row = 1),
    value    bigint   NOT NULL
);
INSERT INTO last_serial (only_row, value) VALUES (1, 0);

-- One row per revision of a notice.
CREATE TABLE revision (
    serial       bigint  PRIMARY KEY,
    notice_id    text    COLLATE "C" NOT NULL,
    revision     bigint  NOT NULL,
    seen_at      bigint  NOT NULL,
    source_hash  text    COLLATE "C" NOT NULL, -- empty: no source said so
    content_hash text    COLLATE "C" NOT NULL,
    version      bigint  NOT NULL,
    completeness integer NOT NULL,
    doc          bytea   NOT NULL, -- the notice as JSON under zstd, without revision and first_seen_at
    UNIQUE (notice_id, revision)
);
-- Few revisions have none; each dump of an agency asks for them.
CREATE INDEX revision_unsourced ON revision (notice_id) WHERE source_hash = '';
-- It is compressed already.
ALTER TABLE revision ALTER COLUMN doc SET STORAGE EXTERNAL;

-- One row per id: where it stands now. version and completeness are the highest
-- that vouched for the present content, which may exceed those of the revision.
CREATE TABLE notice (
    id              text    COLLATE "C" PRIMARY KEY,
    serial          bigint  NOT NULL UNIQUE, -- of the last change of what the id stands for
    revision_serial bigint  NOT NULL REFERENCES revision (serial),
    first_seen_at   bigint  NOT NULL,
    version         bigint  NOT NULL,
    completeness    integer NOT NULL,
    superseded      boolean NOT NULL
);

-- Which sources were ever offered for a notice, with the last revision that each
-- one stood for; 0 when it was older than what was stored.
CREATE TABLE offered_copy (
    notice_id   text   COLLATE "C" NOT NULL,
    source_hash text   COLLATE "C" NOT NULL,
    revision    bigint NOT NULL,
    PRIMARY KEY (notice_id, source_hash)
);

-- Ids that were given up, whether or not anything was ever stored under them.
CREATE TABLE former_id (
    id    text   COLLATE "C" PRIMARY KEY,
    heir  text   COLLATE "C" NOT NULL,
    since bigint NOT NULL
);

-- How many complete dumps in a row an active notice was missing from.
CREATE TABLE miss (
    notice_id text   COLLATE "C" PRIMARY KEY,
    count     bigint NOT NULL
);

CREATE TABLE run (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency      text   COLLATE "C" NOT NULL,
    kind        text   NOT NULL,
    state       text   NOT NULL,
    reason      bytea  NOT NULL,
    started_at  bigint NOT NULL,
    finished_at bigint, -- null while running
    read        bigint NOT NULL,
    added       bigint NOT NULL,
    revised     bigint NOT NULL,
    unchanged   bigint NOT NULL,
    older       bigint NOT NULL,
    rejected    bigint NOT NULL,
    withdrawn   bigint NOT NULL
);
CREATE INDEX run_by_agency ON run (agency, kind, finished_at);

CREATE TABLE rejection (
    id         bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency     text    COLLATE "C" NOT NULL,
    native_id  bytea   NOT NULL,
    -- The record's number without the punctuation that formats and ids write
    -- differently, so that a rejection and the notice of the same record meet.
    record_key bytea   NOT NULL,
    reason     bytea   NOT NULL,
    excerpt    bytea   NOT NULL,
    raw        text    COLLATE "C" NOT NULL,
    position   bigint  NOT NULL,
    seen_at    bigint  NOT NULL,
    UNIQUE (agency, raw, position)
);
CREATE INDEX rejection_by_age ON rejection (agency, seen_at, id);
CREATE INDEX rejection_by_record ON rejection (agency, record_key);

-- The raw payloads in the archive. The agency itself answered with a live one.
CREATE TABLE payload (
    id              bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency          text    COLLATE "C" NOT NULL,
    key             text    COLLATE "C" NOT NULL,
    source_url      bytea   NOT NULL,
    format          text    NOT NULL,
    live            boolean NOT NULL,
    fetched_at      bigint  NOT NULL,
    last_fetched_at bigint  NOT NULL,
    size            bigint  NOT NULL
);
-- A key is content-addressed and short; a URL may exceed what an index row holds.
CREATE UNIQUE INDEX payload_by_source ON payload (key, md5(source_url));
CREATE INDEX payload_by_age ON payload (agency, fetched_at, id);

-- Notices that live polls brought first, on their way into a catalogue.
CREATE TABLE arrival (
    serial        bigint PRIMARY KEY,
    agency        text   COLLATE "C" NOT NULL,
    published_at  bigint NOT NULL,
    seen_at       bigint NOT NULL,
    searchable_at bigint -- null until a catalogue serves it
);
CREATE INDEX arrival_by_agency ON arrival (agency, serial);
CREATE INDEX arrival_waiting ON arrival (serial) WHERE searchable_at IS NULL;

-- Who may do what only one process does at a time, and until when.
CREATE TABLE lease (
    name   text        COLLATE "C" PRIMARY KEY,
    holder text        NOT NULL,
    until  timestamptz NOT NULL
);

-- +goose Down

DROP TABLE lease;
DROP TABLE arrival;
DROP TABLE payload;
DROP TABLE rejection;
DROP TABLE run;
DROP TABLE miss;
DROP TABLE former_id;
DROP TABLE offered_copy;
DROP TABLE notice;
DROP TABLE revision;
DROP TABLE last_serial;
DROP TABLE identity;
