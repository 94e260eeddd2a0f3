//! The statements, in what PostgreSQL 14 to 18 have in common.
//!
//! A group is one statement, and so one round trip and one commit:
//!
//! - `input` is the group's changes, in the order of their keys.
//! - `decided` locks the records that are there, one by one in that order, so
//!   that two groups never wait for each other in a circle. Where somebody else
//!   holds a lock it waits, and then sees the version that the other has left,
//!   not that of its own snapshot (READ COMMITTED looks at a locked row anew).
//!   Then it says of each commit whether all its changes found the version that
//!   they expect.
//! - The rest is done for those that did. An UPDATE or DELETE goes to the row
//!   as it was locked, along the chain from the one in the snapshot.
//! - Records that are new come in that order, too: who puts one waits for whoever has put
//!   it and not committed yet. An older process sorts counters among the others; what it
//!   and a newer one then wait for in a circle the server ends (40P01), and it is tried
//!   again.
//! - A record that somebody else has put between snapshot and INSERT violates
//!   the primary key, and with it the whole statement is undone; tried again
//!   it sees that record, and only this one commit conflicts.
//! - A group that adds to counters is one transaction with these behind the rest
//!   (`counted.rs`): they are locked, behind all other records, and read; then this
//!   process decides, for the rule of counters is not SQL's, and writes what they came
//!   to. Locked records stay as they were read. Where one was put meanwhile that was
//!   not there, the last statement finds a commit to be late, and undoes the whole, too.
//! - The last line asserts that as many rows were changed as were decided upon,
//!   by a division that is by zero otherwise. Nothing here can make it so; it
//!   stands for servers that isolate in another way.
//!
//! It refuses to know connections and who waits.

use super::super::{Index, Kind, Lane};

/// Whether a group has lines of listings that come, and lines that go. Most
/// have none, and to open the partitions for nothing costs as much as the rest. And
/// whether it was decided before that none of its commits is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Lines {
    pub come: bool,
    pub go: bool,
    pub is_decided: bool,
}

/// The statement of a group. Parameters are arrays: of each change its commit's
/// number, id, kind, expected and next version, body, due and lane, nothing for the one
/// that it is in; then, where
/// they are, of each line that goes, and of each that comes, its commit's number,
/// index, scope, time and id. The answer is one row: the numbers of the
/// commits that met a conflict.
pub(super) fn group(lines: Lines) -> String {
    let mut sql = GROUP.to_owned();
    let mut first = 9;
    let mut arrays = || {
        let at = first;
        first += 5;
        format!(
            "unnest(${}::int4[], ${}::int2[], ${}::text[], ${}::int8[], ${}::text[]) \
             AS e(nth, index_letter, scope, at, id)",
            at,
            at + 1,
            at + 2,
            at + 3,
            at + 4
        )
    };
    if lines.go {
        sql += &format!(
            ", unlisted AS (
DELETE FROM dialback_entry l USING {}
WHERE e.nth NOT IN (SELECT nth FROM late)
  AND l.index_letter = e.index_letter AND l.scope = e.scope AND l.at = e.at AND l.id = e.id)",
            arrays()
        );
    }
    if lines.come {
        sql += &format!(
            ", listed AS (
INSERT INTO dialback_entry (index_letter, scope, at, id)
SELECT e.index_letter, e.scope, e.at, e.id FROM {} WHERE e.nth NOT IN (SELECT nth FROM late)
ON CONFLICT DO NOTHING)",
            arrays()
        );
    }
    sql + &verdict(lines.is_decided)
}

const GROUP: &str = "\
WITH input AS MATERIALIZED (
SELECT * FROM unnest($1::int4[], $2::text[], $3::int2[], $4::int8[], $5::int8[], $6::jsonb[], $7::int8[], $8::int2[])
  WITH ORDINALITY AS i(nth, id, kind, expected, version, body, due, lane, place)),
decided AS MATERIALIZED (
SELECT i.*, bool_and(coalesce(l.version, 0) = i.expected) OVER (PARTITION BY i.nth) AS ok
FROM input i LEFT JOIN LATERAL (
  SELECT r.version FROM dialback_record r WHERE r.id = i.id AND r.kind = i.kind FOR UPDATE) l ON true),
late AS MATERIALIZED (SELECT DISTINCT nth FROM decided WHERE NOT ok),
changed AS (
UPDATE dialback_record r SET version = d.version, body = d.body, due = d.due, lane = coalesce(d.lane, r.lane)
FROM decided d
WHERE d.ok AND d.expected <> 0 AND d.body IS NOT NULL AND r.id = d.id AND r.kind = d.kind
RETURNING 1),
deleted AS (
DELETE FROM dialback_record r USING decided d
WHERE d.ok AND d.expected <> 0 AND d.body IS NULL AND r.id = d.id AND r.kind = d.kind
RETURNING 1),
inserted AS (
INSERT INTO dialback_record (id, kind, version, body, due, lane)
SELECT id, kind, version, body, due, lane FROM decided
WHERE ok AND expected = 0 AND body IS NOT NULL ORDER BY place
RETURNING 1)";

fn verdict(is_decided: bool) -> String {
    let and_none_is_late = if is_decided { " AND NOT EXISTS (SELECT 1 FROM late)" } else { "" };
    format!(
        "
SELECT ARRAY(SELECT nth FROM late), 1 / (CASE WHEN
  (SELECT count(*) FROM changed) + (SELECT count(*) FROM deleted) + (SELECT count(*) FROM inserted)
  = (SELECT count(*) FROM decided WHERE ok AND (expected <> 0 OR body IS NOT NULL)){and_none_is_late}
  THEN 1 ELSE 0 END)"
    )
}

/// What counters came to that are locked: a group's arrays. There is no other version than
/// that which was read.
pub(super) const COUNTERS: &str = "\
WITH input AS MATERIALIZED (
SELECT * FROM unnest($1::int4[], $2::text[], $3::int2[], $4::int8[], $5::int8[], $6::jsonb[], $7::int8[], $8::int2[])
  AS i(nth, id, kind, expected, version, body, due, lane)),
changed AS (
UPDATE dialback_record r SET version = i.version, body = i.body, due = i.due, lane = coalesce(i.lane, r.lane)
FROM input i WHERE r.id = i.id AND r.kind = i.kind AND r.version = i.expected
RETURNING 1)
SELECT 1 / (CASE WHEN (SELECT count(*) FROM changed) = (SELECT count(*) FROM input) THEN 1 ELSE 0 END)";

/// Locks those of these records that are there, in the order of the arrays, and reads
/// them: their place in the arrays, version, and of the one kind the body.
pub(super) const LOCK: &str = "\
WITH input AS MATERIALIZED (
SELECT * FROM unnest($1::text[], $2::int2[]) WITH ORDINALITY AS i(id, kind, nth))
SELECT i.nth, l.version, CASE WHEN i.kind = $3 THEN l.body END
FROM input i CROSS JOIN LATERAL (
  SELECT r.version, r.body FROM dialback_record r WHERE r.id = i.id AND r.kind = i.kind FOR UPDATE) l";

/// Records by their keys, in any order, each with its place in the arrays.
pub(super) const READ: &str = "\
SELECT i.nth, r.version, r.body
FROM unnest($1::text[], $2::int2[]) WITH ORDINALITY AS i(id, kind, nth)
JOIN dialback_record r ON r.id = i.id AND r.kind = i.kind";

/// What is due in a lane, of these kinds: what an older process has put there and
/// what only a newer one knows is passed over.
pub(super) const DUE: &str = "\
SELECT kind, id, due FROM dialback_record
WHERE lane = $1 AND due IS NOT NULL AND due <= $2 AND kind = ANY($4::int2[]) ORDER BY due, kind, id LIMIT $3";

/// The same behind a place in it. A statement of its own: planned for an empty table
/// this one looks kinds up in the index and sorts, if it is let.
pub(super) const DUE_AFTER: &str = "\
SELECT kind, id, due FROM dialback_record
WHERE lane = $1 AND due IS NOT NULL AND due <= $2 AND kind + 0 = ANY($4::int2[])
  AND (due, kind, id) > ($5, $6, $7) ORDER BY due, kind, id LIMIT $3";

/// The same for one who is about to do it. What others have locked is passed over,
/// and so is what somebody was given before and is still due at the same time: who
/// writes the record moves that, and with it the claim is over. The columns are in
/// no index, so a claim mostly stays on the record's own page.
pub(super) const CLAIM: &str = "\
WITH picked AS MATERIALIZED (
SELECT kind, id, due FROM dialback_record
WHERE lane = $1 AND due IS NOT NULL AND due <= $2 AND kind = ANY($4::int2[])
  AND (claimed_due IS DISTINCT FROM due OR claimed_until < clock_timestamp())
ORDER BY due, kind, id LIMIT $3 FOR UPDATE SKIP LOCKED),
taken AS (
UPDATE dialback_record r
SET claimed_due = p.due, claimed_until = clock_timestamp() + $5::float8 * interval '1 second'
FROM picked p WHERE r.id = p.id AND r.kind = p.kind
RETURNING r.kind, r.id, r.due)
SELECT kind, id, due FROM taken ORDER BY due, kind, id";

/// How much is due in each lane.
pub(super) const DEPTHS: &str = "\
SELECT lane, kind, count(*), min(due) FROM dialback_record
WHERE due IS NOT NULL AND due <= $1 GROUP BY lane, kind ORDER BY lane, kind";

/// Moves some of what an older process has put into a lane to the one where it
/// belongs now, and says how much. Nothing else is changed, so no version either.
pub(super) const REFILE: &str = "\
WITH picked AS MATERIALIZED (
SELECT kind, id FROM dialback_record
WHERE lane = $1 AND due IS NOT NULL AND kind = $2 LIMIT $4 FOR UPDATE SKIP LOCKED),
moved AS (
UPDATE dialback_record r SET lane = $3 FROM picked p WHERE r.id = p.id AND r.kind = p.kind RETURNING 1)
SELECT count(*) FROM moved";

/// A stretch of a listing.
pub(super) const SCAN: &str = "\
SELECT at, id FROM dialback_entry
WHERE index_letter = $1 AND scope = $2 AND at >= $3 AND at < $4 AND (at, id) < ($5, $6)
ORDER BY at DESC, id DESC LIMIT $7";

/// Stretches of several listings, each line with its record: the place of its scan in
/// the arrays, time and id, and version and body where the record is there. The records
/// are looked up one by one, whatever is known of how many there are.
pub(super) const LIST: &str = "\
SELECT s.nth, e.at, e.id, r.version, r.body
FROM unnest($1::int2[], $2::text[], $3::int8[], $4::int8[], $5::int8[], $6::text[], $7::int2[])
  WITH ORDINALITY AS s(index_letter, scope, since, until, before_at, before_id, kind, nth)
CROSS JOIN LATERAL (
  SELECT l.at, l.id FROM dialback_entry l
  WHERE l.index_letter = s.index_letter AND l.scope = s.scope AND l.at >= s.since AND l.at < s.until
    AND (l.at, l.id) < (s.before_at, s.before_id)
  ORDER BY l.at DESC, l.id DESC LIMIT $8) e
LEFT JOIN LATERAL (
  SELECT o.version, o.body FROM dialback_record o WHERE o.id = e.id AND o.kind = s.kind LIMIT 1) r ON true
ORDER BY s.nth, e.at DESC, e.id DESC";

/// Events that were not there yet at a snapshot and are at another one, by default
/// that of now; each row with the server's start, the snapshot of now, and, where
/// there is one, the transaction and the id of an event. Behind a transaction and an
/// id. A server that only follows another one does not know what is under way there.
pub(super) const ARRIVALS: &str = "\
SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8, n.seen::text, e.arrived::text, e.id
FROM (SELECT pg_current_snapshot() AS seen WHERE NOT pg_is_in_recovery()) n
LEFT JOIN LATERAL (
  SELECT l.arrived, l.id FROM dialback_entry l
  WHERE l.index_letter = 101 AND l.scope = '' AND l.at >= $1
    AND l.arrived >= pg_snapshot_xmin($2::text::pg_snapshot)
    AND NOT pg_visible_in_snapshot(l.arrived, $2::text::pg_snapshot)
    AND pg_visible_in_snapshot(l.arrived, coalesce($3::text::pg_snapshot, n.seen))
    AND (l.arrived, l.id) > ($4::text::xid8, $5)
  ORDER BY l.arrived, l.id LIMIT $6) e ON true";

/// Records of a kind after an id.
pub(super) const WALK: &str = "\
SELECT id, version, body FROM dialback_record WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3";

/// Which of these records are not due then, by their places in the arrays.
pub(super) const NOT_DUE: &str = "\
SELECT i.nth FROM unnest($1::text[], $2::int2[], $3::int8[]) WITH ORDINALITY AS i(id, kind, due, nth)
WHERE NOT EXISTS (SELECT 1 FROM dialback_record r WHERE r.id = i.id AND r.kind = i.kind AND r.due = i.due)";

/// Which of these lines are in no listing, by their places in the arrays.
pub(super) const NOT_LISTED: &str = "\
SELECT i.nth FROM unnest($1::int2[], $2::text[], $3::int8[], $4::text[]) WITH ORDINALITY
  AS i(index_letter, scope, at, id, nth)
WHERE NOT EXISTS (SELECT 1 FROM dialback_entry e
  WHERE e.index_letter = i.index_letter AND e.scope = i.scope AND e.at = i.at AND e.id = i.id)";

/// The lines of these listings that lead to a record.
pub(super) const ENTRIES_OF: &str = "\
SELECT index_letter, scope, at FROM dialback_entry WHERE index_letter = ANY($1::int2[]) AND id = $2";

/// A write that costs little and proves that writing works.
pub(super) const PROBE: &str = "\
INSERT INTO dialback_probe (id, at) VALUES ($1, now()) ON CONFLICT (id) DO UPDATE SET at = excluded.at";

/// Records that are none of ours, or not whole.
pub(super) fn bad_records() -> String {
    let lanes: Vec<String> = Kind::ALL
        .into_iter()
        .map(|kind| {
            let numbers: Vec<String> = kind.lanes_at_rest().map(|lane| lane.number().to_string()).collect();
            format!("WHEN {} THEN lane IN ({})", kind.letter(), numbers.join(", "))
        })
        .collect();
    format!(
        "SELECT kind, id, CASE WHEN version <= 0 THEN 'has no version' \
           WHEN jsonb_typeof(body) <> 'object' OR coalesce(jsonb_typeof(body->'format'), '') <> 'number' \
           THEN 'has no format' ELSE 'is in the wrong lane' END \
         FROM dialback_record WHERE version <= 0 OR jsonb_typeof(body) <> 'object' \
           OR coalesce(jsonb_typeof(body->'format'), '') <> 'number' \
           OR (due IS NOT NULL AND NOT CASE kind {} ELSE true END)",
        lanes.join(" ")
    )
}

/// Lines of listings whose record is not there.
pub(super) fn strays() -> String {
    let kinds: Vec<String> = Index::ALL
        .into_iter()
        .map(|index| format!("WHEN {} THEN {}", index.letter(), index.kind().letter()))
        .collect();
    format!(
        "SELECT index_letter, id FROM dialback_entry e WHERE NOT EXISTS (SELECT 1 FROM dialback_record r \
         WHERE r.id = e.id AND r.kind = CASE e.index_letter {} END)",
        kinds.join(" ")
    )
}

/// The letters of the kinds that are due in a lane.
pub(super) fn kinds(lane: Lane) -> Vec<i16> {
    lane.kinds().map(|kind| kind.letter().into()).collect()
}
