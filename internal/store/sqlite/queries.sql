-- name: LastSerial :one
SELECT value FROM last_serial WHERE only_row = 1;

-- name: SetLastSerial :exec
UPDATE last_serial SET value = ? WHERE only_row = 1;

-- name: Head :one
-- Where an id stands now, without its document.
SELECT n.id, n.serial, n.revision_serial, n.first_seen_at, n.version, n.completeness, n.superseded,
       r.revision, r.source_hash, r.content_hash
FROM notice n
JOIN revision r ON r.serial = n.revision_serial
WHERE n.id = ?;

-- name: Current :one
SELECT n.serial, n.first_seen_at, n.superseded, r.revision, r.doc
FROM notice n
JOIN revision r ON r.serial = n.revision_serial
WHERE n.id = ?;

-- name: Revisions :many
SELECT r.serial, r.revision, r.seen_at, n.first_seen_at, r.doc
FROM revision r
JOIN notice n ON n.id = r.notice_id
WHERE r.notice_id = ?
ORDER BY r.revision;

-- name: RevisionAsOf :one
SELECT r.serial, r.revision, r.seen_at, n.first_seen_at, r.doc
FROM revision r
JOIN notice n ON n.id = r.notice_id
WHERE r.notice_id = ? AND r.seen_at <= ?
ORDER BY r.revision DESC
LIMIT 1;

-- name: AddRevision :exec
INSERT INTO revision (serial, notice_id, revision, seen_at, source_hash, content_hash, version, completeness, doc)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: AddNotice :exec
INSERT INTO notice (id, serial, revision_serial, first_seen_at, version, completeness, superseded)
VALUES (?, ?, ?, ?, ?, ?, 0);

-- name: MoveNotice :exec
UPDATE notice SET serial = ?, revision_serial = ?, version = ?, completeness = ? WHERE id = ?;

-- name: RankNotice :exec
UPDATE notice SET version = ?, completeness = ? WHERE id = ?;

-- name: SupersedeNotice :exec
UPDATE notice SET serial = ?, superseded = 1 WHERE id = ?;

-- name: OfferedFor :one
-- The last revision that a source stood for, 0 when it was only ever older.
SELECT revision FROM offered_copy WHERE notice_id = ? AND source_hash = ?;

-- name: RecordOffer :exec
INSERT INTO offered_copy (notice_id, source_hash, revision) VALUES (?, ?, ?)
ON CONFLICT (notice_id, source_hash) DO UPDATE SET revision = excluded.revision;

-- name: RecordOlderOffer :exec
INSERT INTO offered_copy (notice_id, source_hash, revision) VALUES (?, ?, 0)
ON CONFLICT (notice_id, source_hash) DO NOTHING;

-- name: FormerID :one
SELECT heir, since FROM former_id WHERE id = ?;

-- name: AddFormerID :exec
INSERT INTO former_id (id, heir, since) VALUES (?, ?, ?);

-- name: StartRun :one
INSERT INTO run (agency, kind, state, reason, started_at, read, added, revised, unchanged, older, rejected)
VALUES (?, ?, ?, '', ?, 0, 0, 0, 0, 0, 0)
RETURNING id;

-- name: FinishRun :execrows
UPDATE run
SET state = ?, reason = ?, finished_at = ?, read = ?, added = ?, revised = ?, unchanged = ?, older = ?, rejected = ?
WHERE id = ?;

-- name: AgenciesWithRuns :many
SELECT DISTINCT agency FROM run ORDER BY agency;

-- name: LastFinishedPoll :one
SELECT id, agency, kind, state, reason, started_at, finished_at, read, added, revised, unchanged, older, rejected
FROM run
WHERE agency = ? AND kind = 'poll' AND finished_at IS NOT NULL
ORDER BY finished_at DESC, id DESC
LIMIT 1;

-- name: LastSuccess :one
SELECT finished_at FROM run
WHERE agency = ? AND kind = 'poll' AND state = 'done' AND finished_at IS NOT NULL
ORDER BY finished_at DESC
LIMIT 1;

-- name: LastImport :one
SELECT finished_at FROM run
WHERE agency = ? AND kind = 'import' AND read > 0 AND finished_at IS NOT NULL
ORDER BY finished_at DESC
LIMIT 1;

-- name: CountRejections :one
SELECT count(*) FROM rejection WHERE agency = ?;

-- name: AddRejection :exec
INSERT INTO rejection (agency, native_id, reason, excerpt, raw, position, seen_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (agency, raw, position) DO NOTHING;

-- name: Rejections :many
SELECT agency, native_id, reason, excerpt, raw, position, seen_at
FROM rejection
WHERE agency = ?
ORDER BY seen_at DESC, id DESC
LIMIT ?;

-- name: AddPayload :exec
INSERT INTO payload (agency, key, source_url, format, fetched_at, size)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (key, source_url) DO NOTHING;

-- name: Payloads :many
SELECT agency, key, source_url, format, fetched_at, size
FROM payload
WHERE agency = ?
ORDER BY fetched_at, id;
