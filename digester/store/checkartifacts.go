package store

// artifactInvariants are those of what build tools upload.
var artifactInvariants = []invariant{
	{"a stored artifact has all its parts, and is charged with them", `
		SELECT 'artifact file ' || coalesce(f.id, p.file_id) FROM artifact_files f
		FULL JOIN (SELECT file_id, sum(length(body)) AS n, count(*) AS parts, max(part) AS last FROM artifact_parts GROUP BY file_id) p ON p.file_id = f.id
		WHERE f.bytes IS NOT coalesce(p.n, 0)
		   OR f.complete = 1 AND (coalesce(p.parts, 0) <> (f.size + 1048575) / 1048576 OR coalesce(p.last, -1) + 1 <> coalesce(p.parts, 0))`},
	{"a stored artifact counts the files of bundles that have it, and is complete if there are any", `
		SELECT 'artifact file ' || f.id || ': counts ' || f.refs || ', has ' || (SELECT count(*) FROM bundle_files b WHERE b.file_id = f.id)
		FROM artifact_files f
		WHERE f.refs <> (SELECT count(*) FROM bundle_files b WHERE b.file_id = f.id) OR f.refs > 0 AND f.complete = 0`},
	{"the totals of artifacts are the sums of what is stored", `
		SELECT 'files ' || file_bytes || ', chunks ' || chunk_bytes FROM artifact_totals
		WHERE file_bytes <> (SELECT coalesce(sum(bytes), 0) FROM artifact_files) OR chunk_bytes <> (SELECT coalesce(sum(length(body)), 0) FROM chunks)`},
	{"a bundle that is ready counts its files and what they take up", `
		SELECT 'bundle ' || b.id FROM artifact_bundles b
		WHERE b.state = 1 AND (b.files <> (SELECT count(*) FROM bundle_files f WHERE f.bundle_id = b.id)
		   OR b.bytes <> (SELECT coalesce(sum(c.bytes), 0) FROM bundle_files f JOIN artifact_files c ON c.id = f.file_id WHERE f.bundle_id = b.id)
		   OR b.size <> (SELECT coalesce(sum(c.size), 0) FROM bundle_files f JOIN artifact_files c ON c.id = f.file_id WHERE f.bundle_id = b.id))`},
	{"a bundle has a place in the order of publication if and only if it is ready, and chunks only while it is assembled", `
		SELECT 'bundle ' || id FROM artifact_bundles b
		WHERE (state = 1) <> (published IS NOT NULL) OR published > (SELECT published FROM artifact_totals)
		   OR state IN (1, 2) AND EXISTS (SELECT 1 FROM bundle_chunks c WHERE c.bundle_id = b.id)`},
	{"a project's artifact_bytes is the sum of what its bundles take up", `
		SELECT 'project ' || p.id || ': ' || p.artifact_bytes FROM projects p
		WHERE p.artifact_bytes <> (SELECT coalesce(sum(bytes), 0) FROM artifact_bundles b WHERE b.project_id = p.id AND b.state = 1)`},
}
