-- +goose Up

-- Times are microseconds since 1970 in UTC. Hashes are hexadecimal.

-- The last serial that was given out. It is a row and not max(serial), so that
-- no serial is ever given twice.
CREATE TABLE last_serial (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    value    INTEGER NOT NULL
) STRICT;
INSERT INTO last_serial (only_row, value) VALUES (1, 0);

-- One row per revision of a notice. The serial is the rowid, so that the load of
-- the whole catalogue reads the file nearly from front to back.
CREATE TABLE revision (
    serial       INTEGER PRIMARY KEY,
    notice_id    TEXT    NOT NULL,
    revision     INTEGER NOT NULL,
    seen_at      INTEGER NOT NULL,
    source_hash  TEXT    NOT NULL,
    content_hash TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    completeness INTEGER NOT NULL,
    doc          BLOB    NOT NULL, -- the notice as JSON under zstd, without revision and first_seen_at
    UNIQUE (notice_id, revision)
) STRICT;

-- One row per id: where it stands now. version and completeness are the highest
-- that vouched for the present content, which may exceed those of the revision.
CREATE TABLE notice (
    id              TEXT    PRIMARY KEY,
    serial          INTEGER NOT NULL UNIQUE, -- of the last change of what the id stands for
    revision_serial INTEGER NOT NULL REFERENCES revision (serial),
    first_seen_at   INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    completeness    INTEGER NOT NULL,
    superseded      INTEGER NOT NULL CHECK (superseded IN (0, 1))
) STRICT;

-- Which sources were ever offered for a notice, with the last revision that each
-- one stood for; 0 when it was older than what was stored.
CREATE TABLE offered_copy (
    notice_id   TEXT    NOT NULL,
    source_hash TEXT    NOT NULL,
    revision    INTEGER NOT NULL,
    PRIMARY KEY (notice_id, source_hash)
) STRICT, WITHOUT ROWID;

-- Ids that were given up, whether or not anything was ever stored under them.
CREATE TABLE former_id (
    id    TEXT    PRIMARY KEY,
    heir  TEXT    NOT NULL,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    agency      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER, -- null while running
    read        INTEGER NOT NULL,
    added       INTEGER NOT NULL,
    revised     INTEGER NOT NULL,
    unchanged   INTEGER NOT NULL,
    older       INTEGER NOT NULL,
    rejected    INTEGER NOT NULL
) STRICT;
CREATE INDEX run_by_agency ON run (agency, kind, finished_at);

CREATE TABLE rejection (
    id        INTEGER PRIMARY KEY,
    agency    TEXT    NOT NULL,
    native_id TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    excerpt   TEXT    NOT NULL,
    raw       TEXT    NOT NULL,
    position  INTEGER NOT NULL,
    seen_at   INTEGER NOT NULL,
    UNIQUE (agency, raw, position)
) STRICT;
CREATE INDEX rejection_by_age ON rejection (agency, seen_at);

CREATE TABLE payload (
    id         INTEGER PRIMARY KEY,
    agency     TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    source_url TEXT    NOT NULL,
    format     TEXT    NOT NULL,
    fetched_at INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    UNIQUE (key, source_url)
) STRICT;
CREATE INDEX payload_by_age ON payload (agency, fetched_at);

-- +goose Down

DROP TABLE payload;
DROP TABLE rejection;
DROP TABLE run;
DROP TABLE former_id;
DROP TABLE offered_copy;
DROP TABLE notice;
DROP TABLE revision;
DROP TABLE last_serial;
