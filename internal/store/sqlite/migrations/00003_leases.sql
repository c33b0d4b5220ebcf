-- +goose Up

-- Who may do what only one process does at a time, and until when: microseconds
-- since 1970 in UTC.
CREATE TABLE lease (
    name   TEXT    PRIMARY KEY,
    holder TEXT    NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down

DROP TABLE lease;
