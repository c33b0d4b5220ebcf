-- +goose Up

-- Which store this is, among all that there are: a random UUID (RFC 9562, version 4).
CREATE TABLE identity (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    value    TEXT    NOT NULL
) STRICT;
INSERT INTO identity (only_row, value)
VALUES (1, lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))));

-- +goose Down

DROP TABLE identity;
