package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresConnector opens connections to one server through pgx's own
// protocol layer. The session speaks database/sql itself so that BEGIN travels
// with the first statement (one round trip less) and a statement may run while
// rows of another are open, as on SQLite.
type postgresConnector struct {
	config   *pgconn.Config
	readOnly bool
}

func newPostgresConnector(url string, readOnly bool) (*postgresConnector, error) {
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	set := func(name, value string) {
		if _, ok := config.RuntimeParams[name]; !ok {
			config.RuntimeParams[name] = value
		}
	}
	set("application_name", "hotline")
	set("timezone", "UTC")
	set("default_transaction_isolation", "repeatable read")
	set("idle_in_transaction_session_timeout", "60000")
	set("jit", "off") // short queries only: compiling costs more than it gives
	if readOnly {
		config.RuntimeParams["default_transaction_read_only"] = "on"
	}
	return &postgresConnector{config: config, readOnly: readOnly}, nil
}

// Connect serves database/sql.
func (c *postgresConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := pgconn.ConnectConfig(ctx, c.config)
	if err != nil {
		return nil, err
	}
	s := &postgresSession{conn: conn, reader: c.readOnly, ctx: context.Background()}
	s.stmts = newStmtCache(cacheSize, func(st *postgresStmt) {
		if !conn.IsClosed() {
			_ = conn.Deallocate(context.Background(), st.sd.Name)
		}
	})
	return s, nil
}

// Driver serves database/sql.
func (c *postgresConnector) Driver() driver.Driver { return postgresDriver{} }

type postgresDriver struct{}

// Open serves database/sql; it is not used.
func (postgresDriver) Open(string) (driver.Conn, error) {
	return nil, errors.New("db: use db.Open")
}

// postgresSession is one connection to PostgreSQL.
type postgresSession struct {
	conn    *pgconn.PgConn
	reader  bool
	stmts   *stmtCache[*postgresStmt]
	names   int64
	ctx     context.Context  // of the transaction
	unwatch func() bool      // stops watching it
	pending bool             // BEGIN waits for the first statement
	queued  []bound          // statements that wait for the next
	ending  *pgconn.Pipeline // ROLLBACK was sent, its answer not yet read
	live    *postgresRows    // still reading from the connection
	kept    []*postgresRows
}

// postgresStmt is a prepared statement and how its columns are read.
type postgresStmt struct {
	sd      *pgconn.StatementDescription
	decode  []decoder
	formats []int16
	columns []string
}

// answer is a statement's result on its way.
type answer struct {
	reader *pgconn.ResultReader
	pipe   *pgconn.Pipeline // the reader came through it, behind BEGIN
}

func (a answer) close() (pgconn.CommandTag, error) {
	tag, err := a.reader.Close()
	if a.pipe != nil {
		err = errors.Join(err, a.pipe.Close())
	}
	return tag, err
}

func (s *postgresSession) prepared(text string) (*postgresStmt, error) {
	if st, ok := s.stmts.get(text); ok {
		return st, nil
	}
	s.names++
	sd, err := s.conn.Prepare(context.Background(), "h"+strconv.FormatInt(s.names, 10), text, nil)
	if err != nil {
		return nil, err
	}
	st := newPostgresStmt(sd)
	s.stmts.put(text, st)
	return st, nil
}

// run sends a statement, behind BEGIN and the statements of send if those are
// still to be sent, all in one round trip.
func (s *postgresSession) run(text string, args []driver.NamedValue) (answer, *postgresStmt, error) {
	if s.live != nil {
		s.live.buffer()
	}
	if err := s.settle(); err != nil {
		return answer{}, nil, err
	}
	now, err := s.bind(text, args)
	if err != nil {
		return answer{}, nil, err
	}
	if !s.pending && len(s.queued) == 0 {
		return answer{reader: s.conn.ExecStatement(context.Background(), now.st.sd, now.values, now.formats, now.st.formats)}, now.st, nil
	}
	ahead := s.queued
	if s.pending {
		begin, err := s.prepared("begin")
		if err != nil {
			return answer{}, nil, s.named(err)
		}
		ahead = append([]bound{{st: begin}}, ahead...)
	}
	s.pending, s.queued = false, nil
	pipe := s.conn.StartPipeline(context.Background())
	for _, b := range append(ahead, now) {
		pipe.SendQueryStatement(b.st.sd, b.values, b.formats, b.st.formats)
	}
	err = pipe.Sync()
	for i := 0; err == nil; i++ {
		var got any
		if got, err = pipe.GetResults(); err != nil {
			break
		}
		reader, ok := got.(*pgconn.ResultReader)
		if !ok {
			err = fmt.Errorf("db: unexpected answer %T", got)
			break
		}
		if i == len(ahead) {
			return answer{reader: reader, pipe: pipe}, now.st, nil
		}
		_, err = reader.Close()
	}
	_ = pipe.Close()
	return answer{}, nil, s.named(err)
}

// bound is a statement with its arguments, ready to be sent.
type bound struct {
	st      *postgresStmt
	values  [][]byte
	formats []int16
}

func (s *postgresSession) bind(text string, args []driver.NamedValue) (bound, error) {
	st, err := s.prepared(text)
	if err != nil {
		return bound{}, s.named(err)
	}
	values, formats, err := encodeArguments(st.sd, args)
	return bound{st, values, formats}, err
}

// send keeps a statement until the next one is run or the transaction is
// committed, and goes with it. Its error shows there and undoes the transaction.
func (s *postgresSession) send(text string, args []driver.NamedValue) error {
	if s.live != nil {
		s.live.buffer()
	}
	if err := s.settle(); err != nil {
		return err
	}
	b, err := s.bind(text, args)
	if err == nil {
		s.queued = append(s.queued, b)
	}
	return err
}

// ExecContext serves database/sql.
func (s *postgresSession) ExecContext(_ context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	a, _, err := s.run(text, args)
	if err != nil {
		return nil, err
	}
	tag, err := a.close()
	if err != nil {
		return nil, s.named(err)
	}
	return driver.RowsAffected(tag.RowsAffected()), nil
}

// QueryContext serves database/sql.
func (s *postgresSession) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	a, st, err := s.run(text, args)
	if err != nil {
		return nil, err
	}
	r := &postgresRows{s: s, from: a, columns: st.columns, decode: st.decode}
	s.live = r
	s.kept = append(s.kept, r)
	// The first row is fetched at once, so that an error of the statement is
	// Query's and not found out while scanning.
	if r.fetch(); r.err != nil {
		err := r.err
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// CheckNamedValue serves database/sql.
func (s *postgresSession) CheckNamedValue(nv *driver.NamedValue) error { return plainValue(nv) }

// begin watches ctx once for the whole transaction: a watch for each statement
// would start a goroutine each. The end of ctx breaks the connection.
func (s *postgresSession) begin(ctx context.Context) error {
	if s.conn.IsClosed() {
		return driver.ErrBadConn
	}
	s.pending, s.ctx = true, ctx
	s.unwatch = context.AfterFunc(ctx, func() { _ = s.conn.Conn().SetDeadline(time.Unix(1, 0)) })
	return nil
}

// release stops watching ctx; false when it has ended and the connection with it.
func (s *postgresSession) release() bool {
	ok := s.unwatch == nil || s.unwatch()
	s.unwatch = nil
	return ok
}

// settle reads the answer to the last ROLLBACK, which was not waited for.
func (s *postgresSession) settle() error {
	if p := s.ending; p != nil {
		s.ending = nil
		if p.Close() != nil {
			return driver.ErrBadConn
		}
	}
	if s.conn.IsClosed() {
		return driver.ErrBadConn
	}
	return nil
}

var errAborted = errors.New("db: a statement of the transaction had failed; nothing was committed")

func (s *postgresSession) commit(context.Context) error {
	s.closeRows()
	// From here on the caller's leaving must not make the outcome unknown.
	if !s.release() {
		return s.ctx.Err()
	}
	if s.pending && len(s.queued) == 0 { // no statement was run
		s.pending = false
		return nil
	}
	queued := len(s.queued) > 0
	a, _, err := s.run("commit", nil)
	if err != nil {
		if queued && pgCode(err) != "" { // COMMIT itself was passed over
			return &refused{err}
		}
		return err
	}
	tag, err := a.close()
	if err == nil && tag.String() == "ROLLBACK" {
		err = errAborted
	}
	return s.named(err)
}

// refused says that a statement before COMMIT failed: nothing was committed,
// and the connection is good.
type refused struct{ error }

// Unwrap serves package errors.
func (r *refused) Unwrap() error { return r.error }

func (s *postgresSession) rollback() error {
	s.closeRows()
	s.queued = nil
	if !s.release() || s.conn.IsClosed() {
		return driver.ErrBadConn
	}
	s.ctx = context.Background()
	switch {
	case s.pending:
		s.pending = false
		return nil
	case s.conn.TxStatus() == 'I':
		return nil
	case !s.reader:
		return s.control(s.ctx, "rollback")
	}
	// The end of a read is sent but not waited for.
	st, err := s.prepared("rollback")
	if err != nil {
		return err
	}
	s.ending = s.conn.StartPipeline(s.ctx)
	s.ending.SendQueryStatement(st.sd, nil, nil, nil)
	return s.ending.Sync()
}

func (s *postgresSession) control(ctx context.Context, text string) error {
	_, err := s.ExecContext(ctx, text, nil)
	return err
}

func (s *postgresSession) script(ctx context.Context, text string) error {
	if s.pending || len(s.queued) > 0 {
		if err := s.control(ctx, "select 1"); err != nil {
			return err
		}
	}
	if s.live != nil {
		s.live.buffer()
	}
	_, err := s.conn.Exec(context.Background(), text).ReadAll()
	return s.named(err)
}

func (s *postgresSession) forget() { s.stmts.clear() }

func (s *postgresSession) closeRows() {
	for len(s.kept) > 0 {
		_ = s.kept[len(s.kept)-1].Close()
	}
}

// named lets the caller's own cancellation show as such.
func (s *postgresSession) named(err error) error {
	if err != nil && s.ctx.Err() != nil {
		return fmt.Errorf("%w (%v)", s.ctx.Err(), err)
	}
	return err
}

// IsValid serves database/sql.
func (s *postgresSession) IsValid() bool { return !s.conn.IsClosed() }

// Close serves database/sql.
func (s *postgresSession) Close() error { return s.conn.Close(context.Background()) }

// Prepare serves database/sql; statements are kept by the session instead.
func (s *postgresSession) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("db: statements are prepared by the session")
}

// Begin serves database/sql; transactions begin in Update and View.
func (s *postgresSession) Begin() (driver.Tx, error) {
	return nil, errors.New("db: transactions begin in Update and View")
}
