package sandbox

import (
	"strings"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// payloadFunction is what views call to decompress.
	payloadFunction = "sundew_payload"

	// maxPattern is how long the pattern of a LIKE may be: its time is that of the text
	// times that of the pattern.
	maxPattern = 200
)

// allowedFunctions are those that statements may call: what computes from its arguments
// alone. What tells of the database, its files or its connection is not among them.
func allowedFunctions() map[string]bool {
	all := make(map[string]bool)
	for _, name := range strings.Fields(`
		abs avg ceil ceiling char coalesce concat concat_ws count
		cume_dist date datetime degrees dense_rank exp first_value floor format glob group_concat
		hex ifnull iif if instr json json_array json_array_length json_error_position json_extract json_group_array
		json_group_object json_object json_pretty json_quote json_type json_valid julianday lag last_value lead length like
		likelihood likely ln log log10 log2 lower ltrim max median min mod nth_value ntile nullif octet_length
		percent_rank percentile percentile_cont percentile_disc pi pow power printf quote radians random rank replace
		round row_number rtrim sign soundex sqlite_version sqrt strftime string_agg substr substring sum time
		timediff total trim trunc typeof unhex unicode unixepoch unlikely unistr unistr_quote upper
		-> ->>`) {
		all[name] = true
	}
	return all
}

// addFunction adds the one that views call.
func (c *conn) addFunction() error {
	name := c.text(payloadFunction)
	defer c.free(name)
	if name == 0 {
		return errNoMemory
	}
	return c.check(sqlite3.Xsqlite3_create_function_v2(c.tls, c.db, name, 3,
		sqlite3.SQLITE_UTF8|sqlite3.SQLITE_DETERMINISTIC|sqlite3.SQLITE_INNOCUOUS, c.guard.number, function(payload), 0, 0, 0))
}

// payload is sundew_payload(kind, encoding, body).
func payload(tls *libc.TLS, ctx uintptr, _ int32, args uintptr) {
	argument := func(i uintptr) uintptr { return *(*uintptr)(pointer(args + i*ptrSize)) }
	g := guardOf(sqlite3.Xsqlite3_user_data(tls, ctx))
	body := argument(2)
	p := sqlite3.Xsqlite3_value_blob(tls, body)
	text, err := g.decode(sqlite3.Xsqlite3_value_int64(tls, argument(0)), sqlite3.Xsqlite3_value_int64(tls, argument(1)),
		bytes(p, sqlite3.Xsqlite3_value_bytes(tls, body)))
	if err != nil || len(text) > maxValue {
		sqlite3.Xsqlite3_result_null(tls, ctx)
		return
	}
	room := libc.Xmalloc(tls, types.Size_t(len(text)+1))
	if room == 0 {
		sqlite3.Xsqlite3_result_error_nomem(tls, ctx)
		return
	}
	copy(unsafe.Slice((*byte)(pointer(room)), len(text)), text)
	sqlite3.Xsqlite3_result_text(tls, ctx, room, int32(len(text)), transient)
	libc.Xfree(tls, room)
}
