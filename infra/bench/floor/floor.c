//go:build ignore

/*
** Runs a trace (package trace) against a SQLite database as fast as C can: the
** physical limit of the same statements with the same data.
**
**     floor TRACE DATABASE
**
** The trace is in memory before the clock starts, statements are prepared once,
** parameters are bound where they lie. Prints one line:
**
**     <nanoseconds> <processor's nanoseconds> <pages written to the WAL>
**     <fsyncs> <SQLite's version>
**
** Without arguments it prints the version and the options SQLite was compiled
** with.
*/
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "sqlite3-binding.h"

#define MAGIC "SQLTRAC\x01"

enum { ARG_NULL, ARG_INT, ARG_FLOAT, ARG_TEXT, ARG_BLOB };
enum { FLAG_ONCE = 1, FLAG_FAILED = 2 };

/* Every fsync goes through here: the linker is told so (--wrap). */
static long syncs;
int __real_fsync(int fd);
int __wrap_fsync(int fd) { syncs++; return __real_fsync(fd); }

static void die(const char *what, const char *why) {
  fprintf(stderr, "floor: %s: %s\n", what, why);
  exit(1);
}

/* The trace and how far it has been read. */
static const unsigned char *at, *end;

static const unsigned char *take(size_t n) {
  const unsigned char *p = at;
  if ((size_t)(end - at) < n) die("trace", "it ends too early");
  at += n;
  return p;
}

static int32_t u32(void) { int32_t v; memcpy(&v, take(4), 4); return v; }
static int64_t u64(void) { int64_t v; memcpy(&v, take(8), 8); return v; }

static const char *text(int32_t *len) {
  *len = u32();
  return (const char *)take((size_t)*len + 1);
}

static void load(const char *path) {
  struct stat st;
  unsigned char *all;
  size_t have = 0;
  ssize_t n;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || fstat(fd, &st) != 0) die(path, "cannot be opened");
  if ((all = malloc(st.st_size)) == NULL) die(path, "too large");
  while (have < (size_t)st.st_size && (n = read(fd, all + have, st.st_size - have)) > 0) have += n;
  if (have != (size_t)st.st_size) die(path, "cannot be read");
  close(fd);
  at = all;
  end = all + have;
  if (memcmp(take(8), MAGIC, 8) != 0) die(path, "is not a trace");
}

static sqlite3 *db;
static const char **texts;
static sqlite3_stmt **stmts;

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *s;
  if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK) die(sql, sqlite3_errmsg(db));
  return s;
}

static void bind(sqlite3_stmt *s) {
  int32_t n = u32(), len;
  const char *p;
  double d;
  for (int i = 1; i <= n; i++) {
    int rc = SQLITE_ERROR;
    switch (*take(1)) {
      case ARG_NULL: rc = sqlite3_bind_null(s, i); break;
      case ARG_INT: rc = sqlite3_bind_int64(s, i, u64()); break;
      case ARG_FLOAT: memcpy(&d, take(8), 8); rc = sqlite3_bind_double(s, i, d); break;
      case ARG_TEXT: p = text(&len); rc = sqlite3_bind_text(s, i, p, len, SQLITE_STATIC); break;
      case ARG_BLOB: len = u32(); rc = sqlite3_bind_blob(s, i, take(len), len, SQLITE_STATIC); break;
    }
    if (rc != SQLITE_OK) die("binding", sqlite3_errmsg(db));
  }
}

/* What a reader does with a row, so that it is not for free. */
static int64_t sink;

static void read_row(sqlite3_stmt *s) {
  for (int i = 0; i < sqlite3_column_count(s); i++) {
    switch (sqlite3_column_type(s, i)) {
      case SQLITE_INTEGER: sink += sqlite3_column_int64(s, i); break;
      case SQLITE_FLOAT: sink += (int64_t)sqlite3_column_double(s, i); break;
      case SQLITE_TEXT: sink += *sqlite3_column_text(s, i) + sqlite3_column_bytes(s, i); break;
      case SQLITE_BLOB: sink += sqlite3_column_bytes(s, i); break;
    }
  }
}

/* Runs the next call of the trace. */
static void call(void) {
  int32_t place = u32();
  int flags = *take(1), rc;
  int32_t rows = u32();
  sqlite3_stmt *s = flags & FLAG_ONCE ? NULL : stmts[place];
  if (s == NULL) {
    s = prepare(texts[place]);
    if (!(flags & FLAG_ONCE)) stmts[place] = s;
  }
  bind(s);
  if (rows < 0) {
    do rc = sqlite3_step(s); while (rc == SQLITE_ROW);
    sink += sqlite3_changes(db) + sqlite3_last_insert_rowid(db);
  } else {
    rc = sqlite3_step(s);
    for (; rc == SQLITE_ROW && rows > 0; rows--) {
      read_row(s);
      if (rows > 1) rc = sqlite3_step(s);
    }
  }
  if ((rc != SQLITE_DONE && rc != SQLITE_ROW) != !!(flags & FLAG_FAILED)) die(texts[place], sqlite3_errmsg(db));
  if (flags & FLAG_ONCE) sqlite3_finalize(s);
  else { sqlite3_reset(s); sqlite3_clear_bindings(s); }
}

static void open_database(const char *path) {
  int32_t n, len;
  if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK) die(path, sqlite3_errmsg(db));
  for (n = u32(); n > 0; n--) {
    const char *pragma = text(&len);
    if (sqlite3_exec(db, pragma, NULL, NULL, NULL) != SQLITE_OK) die(pragma, sqlite3_errmsg(db));
  }
}

static void read_texts(void) {
  int32_t n = u32(), len;
  texts = calloc(n, sizeof *texts);
  stmts = calloc(n, sizeof *stmts);
  for (int32_t i = 0; i < n; i++) texts[i] = text(&len);
}

static long long since(const struct timespec *began) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - began->tv_sec) * 1000000000LL + now.tv_nsec - began->tv_nsec;
}

static long long processor(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000LL + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000LL;
}

int main(int argc, char **argv) {
  struct timespec began;
  int pages, high;
  if (argc == 1) {
    printf("%s\n", sqlite3_libversion());
    for (int i = 0; sqlite3_compileoption_get(i); i++) printf("%s\n", sqlite3_compileoption_get(i));
    return 0;
  }
  if (argc != 3) die("usage", "floor TRACE DATABASE");
  load(argv[1]);
  open_database(argv[2]);
  read_texts();

  int32_t calls = u32();
  syncs = 0;
  long long used = processor(), took;
  clock_gettime(CLOCK_MONOTONIC, &began);
  while (calls-- > 0) call();
  took = since(&began);
  used = processor() - used;
  sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &high, 0);
  printf("%lld %lld %d %ld %s\n", took, used, pages, syncs, sqlite3_libversion());
  if (at != end) die(argv[1], "there is something behind the last call");
  return sqlite3_close_v2(db) != SQLITE_OK;
}
