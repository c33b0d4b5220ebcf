-- +goose Up

-- How many complete dumps in a row an active notice was missing from.
CREATE TABLE miss (
    notice_id TEXT    PRIMARY KEY,
    count     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE run ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;

-- A record's number without the punctuation that formats and ids write
-- differently, so that a rejection and the notice of the same record meet.
ALTER TABLE rejection ADD COLUMN record_key TEXT NOT NULL DEFAULT '';
UPDATE rejection SET record_key =
    lower(replace(replace(replace(replace(replace(native_id, agency || ':', ''), '-', ''), '/', ''), '.', ''), ' ', ''));
CREATE INDEX rejection_by_record ON rejection (agency, record_key);

-- Whether the agency itself answered with the payload, and when it last did: the
-- same bytes are kept once.
ALTER TABLE payload ADD COLUMN live INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payload ADD COLUMN last_fetched_at INTEGER NOT NULL DEFAULT 0;
UPDATE payload SET live = source_url LIKE 'http%://%', last_fetched_at = fetched_at;

-- Notices that live polls brought first, on their way into a catalogue.
CREATE TABLE arrival (
    serial        INTEGER PRIMARY KEY,
    agency        TEXT    NOT NULL,
    published_at  INTEGER NOT NULL,
    seen_at       INTEGER NOT NULL,
    searchable_at INTEGER -- null until a catalogue serves it
) STRICT;
CREATE INDEX arrival_by_agency ON arrival (agency, serial);
CREATE INDEX arrival_waiting ON arrival (serial) WHERE searchable_at IS NULL;

-- +goose Down

DROP TABLE arrival;
ALTER TABLE payload DROP COLUMN last_fetched_at;
ALTER TABLE payload DROP COLUMN live;
DROP INDEX rejection_by_record;
ALTER TABLE rejection DROP COLUMN record_key;
ALTER TABLE run DROP COLUMN withdrawn;
DROP TABLE miss;
