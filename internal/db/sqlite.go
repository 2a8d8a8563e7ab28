package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hotline/internal/clock"

	sqlite "modernc.org/sqlite"
)

// sqlitePragmas are set on every connection. FULL keeps an acknowledged
// commit through a power cut; secure_delete overwrites erased personal data.
var sqlitePragmas = []string{
	"busy_timeout=5000",
	"synchronous=FULL",
	"foreign_keys=ON",
	"secure_delete=ON",
	"temp_store=MEMORY",
	"journal_size_limit=67108864",
	"wal_autocheckpoint=0", // the checkpointer does it, off the path of commits
}

type sqliteRole int

const (
	sqliteWriter sqliteRole = iota
	sqliteReader
	sqliteKeeper // checkpoints
)

// sqliteConnector opens connections of one role to one file.
type sqliteConnector struct {
	path     string
	role     sqliteRole
	readOnly bool
}

func (c *sqliteConnector) Driver() driver.Driver { return &sqlite.Driver{} }

func (c *sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	mode := "rw"
	if c.readOnly {
		mode = "ro"
	}
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: c.path, RawQuery: "mode=" + mode}).String()
	raw, err := (&sqlite.Driver{}).Open(name)
	if err != nil {
		return nil, fmt.Errorf("db: open %s: %w", c.path, err)
	}
	s := newSQLiteSession(raw, c.role)
	pragmas := sqlitePragmas
	switch c.role {
	case sqliteWriter:
		pragmas = append([]string{"cache_size=-32768"}, pragmas...)
	case sqliteReader:
		pragmas = append([]string{"cache_size=-8192"}, append(pragmas, "query_only=ON")...)
	}
	for _, p := range pragmas {
		if err := s.script(ctx, "PRAGMA "+p); err != nil {
			raw.Close()
			return nil, fmt.Errorf("db: pragma %s: %w", p, err)
		}
	}
	return s, nil
}

// createSQLite makes the file, readable by its owner alone, and turns WAL on.
func createSQLite(ctx context.Context, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	c, err := (&sqliteConnector{path: path, role: sqliteKeeper}).Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.(session).script(ctx, "PRAGMA journal_mode=WAL")
}

// sqliteSession adds to the driver's connection a cache of prepared
// statements and the habit of closing what a transaction left open.
type sqliteSession struct {
	driver.Conn
	role  sqliteRole
	ctx   context.Context // of the transaction that reads
	stmts *stmtCache[*sqliteStmt]
	live  []*sqliteRows
}

type sqliteStmt struct {
	driver.Stmt
	quick   bool // it was over at once every time so far
	busy    bool // rows of it are open
	dropped bool // close it once they are not
}

func newSQLiteSession(raw driver.Conn, role sqliteRole) *sqliteSession {
	s := &sqliteSession{Conn: raw, role: role, ctx: context.Background()}
	s.stmts = newStmtCache(cacheSize, func(st *sqliteStmt) {
		if st.busy {
			st.dropped = true
			return
		}
		_ = st.Close()
	})
	return s
}

// prepared gives a statement that nobody is reading from.
func (s *sqliteSession) prepared(ctx context.Context, text string) (*sqliteStmt, error) {
	st, ok := s.stmts.get(text)
	if ok && !st.busy {
		return st, nil
	}
	raw, err := s.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, unnumbered(text))
	if err != nil {
		return nil, err
	}
	fresh := &sqliteStmt{Stmt: raw, dropped: ok}
	if !ok {
		s.stmts.put(text, fresh)
	}
	return fresh, nil
}

// unnumbered writes $1, $2, … as plain ?, where they stand in their order and
// once each: SQLite takes $1 for a name, and looking up the name of every
// parameter costs as much as binding it.
func unnumbered(text string) string {
	if strings.ContainsAny(text, "'\"`") && strings.Contains(text, "$") && quotedDollar.MatchString(text) {
		return text
	}
	var b strings.Builder
	n, from := 0, 0
	for i := 0; i < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		end := i + 1
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		if n++; text[i+1:end] != strconv.Itoa(n) {
			return text
		}
		b.WriteString(text[from:i] + "?")
		i, from = end-1, end
	}
	return b.String() + text[from:]
}

// quotedDollar finds a sign $ inside quotes, where it is no parameter.
var quotedDollar = regexp.MustCompile("'[^']*\\$[^']*'|\"[^\"]*\\$[^\"]*\"|`[^`]*\\$[^`]*`")

func (s *sqliteSession) release(st *sqliteStmt) {
	st.busy = false
	if st.dropped {
		_ = st.Close()
	}
}

// ExecContext runs a statement of the cache. It serves database/sql.
func (s *sqliteSession) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	st, err := s.prepared(ctx, text)
	if err != nil {
		return nil, err
	}
	defer s.release(st)
	return st.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

// QueryContext runs a statement of the cache. It serves database/sql.
func (s *sqliteSession) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	st, err := s.prepared(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := s.watched(st, args)
	if err != nil {
		s.release(st)
		return nil, err
	}
	st.busy = true
	r := &sqliteRows{Rows: rows, s: s, st: st}
	s.live = append(s.live, r)
	return r, nil
}

// slow is from when on a statement's runs are watched.
const slow = 2 * time.Millisecond

// watched runs a query so that it ends with the transaction's context. The
// driver's watch costs more than a short query (a goroutine each time), so a
// statement is only watched until it has shown to be quick, and again once it
// was slow. A writer's is never: an interrupt would undo the whole group.
func (s *sqliteSession) watched(st *sqliteStmt, args []driver.NamedValue) (driver.Rows, error) {
	ctx := s.ctx
	if st.quick || s.role == sqliteWriter {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ctx = untied
	}
	wall := clock.System()
	began := wall.Now()
	rows, err := st.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	st.quick = clock.Since(wall, began) < slow
	return rows, err
}

// CheckNamedValue serves database/sql.
func (s *sqliteSession) CheckNamedValue(nv *driver.NamedValue) error { return plainValue(nv) }

func (s *sqliteSession) begin(ctx context.Context) error {
	if s.role == sqliteWriter {
		return s.control(untied, "BEGIN IMMEDIATE")
	}
	s.ctx = ctx
	return s.control(untied, "BEGIN")
}

func (s *sqliteSession) commit(ctx context.Context) error {
	s.closeLive()
	return s.control(ctx, "COMMIT")
}

func (s *sqliteSession) rollback() error {
	s.closeLive()
	s.ctx = untied
	return s.control(untied, "ROLLBACK")
}

func (s *sqliteSession) send(text string, args []driver.NamedValue) error {
	_, err := s.ExecContext(untied, text, args)
	return err
}

func (s *sqliteSession) control(ctx context.Context, text string) error {
	_, err := s.ExecContext(ctx, text, nil)
	return err
}

func (s *sqliteSession) script(ctx context.Context, text string) error {
	_, err := s.Conn.(driver.ExecerContext).ExecContext(ctx, text, nil)
	return err
}

func (s *sqliteSession) forget() { s.stmts.clear() }

func (s *sqliteSession) closeLive() {
	for len(s.live) > 0 {
		_ = s.live[len(s.live)-1].Close()
	}
}

// Close serves database/sql.
func (s *sqliteSession) Close() error {
	s.closeLive()
	s.forget()
	return s.Conn.Close()
}

// sqliteRows gives its statement back when it is closed.
type sqliteRows struct {
	driver.Rows
	s      *sqliteSession
	st     *sqliteStmt
	closed bool
}

var errRowsOver = errors.New("db: rows used after their transaction ended")

// Next serves database/sql.
func (r *sqliteRows) Next(dest []driver.Value) error {
	if r.closed {
		return errRowsOver
	}
	if err := r.s.ctx.Err(); err != nil {
		return err
	}
	return r.Rows.Next(dest)
}

// Close serves database/sql.
func (r *sqliteRows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	err := r.Rows.Close()
	live := r.s.live
	for i := len(live) - 1; i >= 0; i-- {
		if live[i] == r {
			r.s.live = append(live[:i], live[i+1:]...)
			break
		}
	}
	r.s.release(r.st)
	return err
}

// numbers runs a statement that answers numbers in one row (PRAGMA).
func (s *sqliteSession) numbers(text string, n int) ([]int64, error) {
	rows, err := s.QueryContext(context.Background(), text, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	vals := make([]driver.Value, n)
	if err := rows.Next(vals); err != nil && err != io.EOF {
		return nil, err
	}
	out := make([]int64, n)
	for i, v := range vals {
		out[i], _ = v.(int64)
	}
	return out, nil
}
