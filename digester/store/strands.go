package store

// A strand is an issue as a unit of counting: an issue that stands alone, a head, or
// a member. What is read of an issue is read of the head and its members together.

// strandsOf1 is the ids of an issue and its members, as a subquery; the issue is the
// statement's parameter 1.
const strandsOf1 = `(SELECT ?1 UNION ALL SELECT id FROM issues WHERE merged_into = ?1)`

// withStrandsOf begins a statement with a table "strands" of the strands of n issues,
// each with its head; the issues' ids are its arguments, twice.
func withStrandsOf(n int) string {
	return `WITH strands (head, id) AS (
		  SELECT id, id FROM issues WHERE id IN ` + list(n) + ` UNION ALL SELECT merged_into, id FROM issues WHERE merged_into IN ` + list(n) + `)`
}

// untilEvent begins a query with a table "strands" of the strands of issue ?1, each
// with the number of its newest event whose id is below ?2, or 0. Ids grow with the
// numbers, so that it can be found by halving: no index has both issue and id.
const untilEvent = `
	WITH RECURSIVE halves (strand, low, high) AS (
	  SELECT id, 0, event_count + moved_events FROM issues WHERE id = ?1
	  UNION ALL SELECT id, 0, event_count + moved_events FROM issues WHERE merged_into = ?1
	  UNION ALL
	  SELECT strand,
	    iif(coalesce((SELECT id FROM events WHERE issue_id = strand AND number <= (low + high + 1) / 2 ORDER BY number DESC LIMIT 1), 0) < ?2, (low + high + 1) / 2, low),
	    iif(coalesce((SELECT id FROM events WHERE issue_id = strand AND number <= (low + high + 1) / 2 ORDER BY number DESC LIMIT 1), 0) < ?2, high, (low + high + 1) / 2 - 1)
	  FROM halves WHERE low < high
	), strands AS (SELECT strand AS id, low AS newest FROM halves WHERE low = high)
`
