-- name: LastSerial :one
SELECT value FROM last_serial WHERE only_row = 1;

-- name: SetLastSerial :exec
UPDATE last_serial SET value = ? WHERE only_row = 1;

-- name: Heads :many
-- Where ids, a JSON array, stand now, without their documents.
SELECT n.id, n.serial, n.revision_serial, n.first_seen_at, n.version, n.completeness, n.superseded,
       r.revision, r.source_hash, r.content_hash
FROM json_each(sqlc.arg(ids)) asked
JOIN notice n ON n.id = asked.value
JOIN revision r ON r.serial = n.revision_serial;

-- name: FormerIDs :many
-- Which ids of a JSON array were given up.
SELECT id FROM former_id WHERE id IN (SELECT value FROM json_each(sqlc.arg(ids)));

-- name: Document :one
SELECT r.doc FROM notice n JOIN revision r ON r.serial = n.revision_serial WHERE n.id = ?;

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
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: MoveNotice :exec
UPDATE notice SET serial = ?, revision_serial = ?, version = ?, completeness = ?, superseded = ? WHERE id = ?;

-- name: OfferedFor :one
-- The last revision that a source stood for, 0 when it was only ever older.
SELECT revision FROM offered_copy WHERE notice_id = ? AND source_hash = ?;

-- name: RecordOffer :exec
INSERT INTO offered_copy (notice_id, source_hash, revision) VALUES (?, ?, ?)
ON CONFLICT (notice_id, source_hash) DO UPDATE SET revision = excluded.revision;

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
SET state = ?, reason = ?, finished_at = ?, read = ?, added = ?, revised = ?, unchanged = ?, older = ?, rejected = ?, withdrawn = ?
WHERE id = ?;

-- name: AgenciesWithRuns :many
SELECT DISTINCT agency FROM run ORDER BY agency;

-- name: LastFinishedPoll :one
SELECT id, agency, kind, state, reason, started_at, finished_at, read, added, revised, unchanged, older, rejected, withdrawn
FROM run
WHERE agency = ? AND kind = 'poll' AND finished_at IS NOT NULL
ORDER BY finished_at DESC, id DESC
LIMIT 1;

-- name: LastSuccess :one
SELECT finished_at FROM run
WHERE agency = ? AND kind = 'poll' AND state = 'done' AND finished_at IS NOT NULL
ORDER BY finished_at DESC
LIMIT 1;

-- name: FirstSuccess :one
SELECT finished_at FROM run
WHERE agency = ? AND kind = 'poll' AND state = 'done' AND finished_at IS NOT NULL
ORDER BY finished_at
LIMIT 1;

-- name: LastImport :one
SELECT finished_at FROM run
WHERE agency = ? AND kind = 'import' AND read > 0 AND finished_at IS NOT NULL
ORDER BY finished_at DESC
LIMIT 1;

-- name: LastImportFault :one
-- Why the last import was partial, nothing when it was whole.
SELECT CASE state WHEN 'partial' THEN reason ELSE '' END AS fault FROM run
WHERE agency = ? AND kind = 'import' AND finished_at IS NOT NULL
ORDER BY finished_at DESC, id DESC
LIMIT 1;

-- name: CountRejections :one
SELECT count(*) FROM rejection WHERE agency = ?;

-- name: AddRejection :exec
INSERT INTO rejection (agency, native_id, record_key, reason, excerpt, raw, position, seen_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (agency, raw, position) DO NOTHING;

-- name: RejectionsOfRecordElsewhere :one
-- How many later payloads' rejections there are of a record.
SELECT count(*) FROM rejection WHERE agency = ? AND record_key = ? AND raw <> ? AND seen_at > ?;

-- name: DropEarlierRejections :exec
DELETE FROM rejection WHERE agency = ? AND record_key = ? AND raw <> ? AND seen_at <= ?;

-- name: RejectedRecords :many
SELECT DISTINCT record_key FROM rejection WHERE agency = ? AND record_key <> '';

-- name: SettleRejections :exec
DELETE FROM rejection WHERE agency = ? AND record_key = ? AND seen_at <= ?;

-- name: DropRejectionsOfPayload :exec
DELETE FROM rejection WHERE agency = ? AND raw = ?;

-- name: Rejections :many
SELECT id, agency, native_id, reason, excerpt, raw, position, seen_at
FROM rejection
WHERE agency = sqlc.arg(agency) AND (seen_at, id) < (sqlc.arg(before), sqlc.arg(before_id))
ORDER BY seen_at DESC, id DESC
LIMIT sqlc.arg(most);

-- name: AddPayload :exec
INSERT INTO payload (agency, key, source_url, format, live, fetched_at, last_fetched_at, size)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key, source_url) DO UPDATE SET last_fetched_at = max(last_fetched_at, excluded.last_fetched_at);

-- name: Payloads :many
SELECT agency, key, source_url, format, live, fetched_at, last_fetched_at, size
FROM payload
WHERE agency = ?
ORDER BY fetched_at, id;

-- name: UnsourcedBetween :many
-- The ids in a span whose present revision no source stands for: most of them
-- were withdrawn because they were missing.
SELECT n.id
FROM notice n
JOIN revision r ON r.serial = n.revision_serial
WHERE n.id >= sqlc.arg(first) AND n.id < sqlc.arg(beyond) AND n.superseded = 0 AND r.source_hash = ''
ORDER BY n.id;

-- name: RecordMiss :exec
INSERT INTO miss (notice_id, count) VALUES (?, ?)
ON CONFLICT (notice_id) DO UPDATE SET count = excluded.count;

-- name: Missed :many
SELECT notice_id, count FROM miss WHERE notice_id >= sqlc.arg(first) AND notice_id < sqlc.arg(beyond);

-- name: CountMissed :one
SELECT count(*) FROM miss;

-- name: ForgetMisses :exec
DELETE FROM miss WHERE notice_id = ?;

-- name: AddArrival :exec
INSERT INTO arrival (serial, agency, published_at, seen_at) VALUES (?, ?, ?, ?);

-- name: ServeArrivals :exec
UPDATE arrival SET searchable_at = ? WHERE searchable_at IS NULL AND serial <= ?;

-- name: WaitingArrival :one
SELECT serial FROM arrival WHERE searchable_at IS NULL AND serial <= ? LIMIT 1;

-- name: Arrivals :many
SELECT published_at, seen_at, searchable_at FROM arrival
WHERE agency = ? AND searchable_at IS NOT NULL
ORDER BY serial DESC
LIMIT ?;
