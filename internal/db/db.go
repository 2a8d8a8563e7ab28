package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"hotline/internal/clock"
)

// The engines, as Engine names them.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Config says which database to open and how.
type Config struct {
	URL      string      // "postgres://…", or the path of a SQLite file
	Clock    clock.Clock // nil is the machine's clock
	Node     int64       // this process's number in ids, 0–1023
	ReadOnly bool        // no writes and no migration; the database must exist
	Readers  int         // how many Views run at once; 0 chooses by the machine
}

// DB is an open database. It is made once by Open and shared by every room.
type DB struct {
	engine   string
	clock    clock.Clock // the business's clock: Tx.Now and ids
	wall     clock.Clock // the machine's, for waiting and measuring
	readOnly bool
	ids      idMaker

	holder    string       // who this process is in the table of nodes
	nodeUntil atomic.Int64 // end of the leased node number, 0 = none is leased

	pools   []*sql.DB
	writers *sql.DB
	queue   *queue
	work    sync.WaitGroup // writers and the checkpointer
	wmu     sync.Mutex
	nwriter int // writers started; more come while writes wait
	readers chan *link
	nreader int
	asking  atomic.Int64 // people whose reads wait

	contended sync.Mutex    // held by a write that lost several conflicts
	broken    atomic.Bool   // the disk failed under SQLite: no more writes
	closing   chan struct{} // closed by Close
	once      sync.Once
	stats     counters
	walBusy   chan struct{} // hints the checkpointer that much was written
	walLong   atomic.Bool   // asks the writer to start the WAL afresh
}

// Open opens the database, making the SQLite file when it is absent. Close it.
func Open(ctx context.Context, c Config) (*DB, error) {
	if c.Node < 0 || c.Node > MaxNode {
		return nil, fmt.Errorf("db: node %d is outside 0–%d", c.Node, MaxNode)
	}
	d := &DB{clock: c.Clock, wall: clock.System(), readOnly: c.ReadOnly, queue: newQueue(),
		closing: make(chan struct{}), walBusy: make(chan struct{}, 1)}
	d.ids.node.Store(c.Node)
	if d.clock == nil {
		d.clock = d.wall
	}
	d.nreader = c.Readers
	if d.nreader <= 0 {
		d.nreader = max(4, 2*runtime.GOMAXPROCS(0))
	}
	var err error
	if strings.HasPrefix(c.URL, "postgres://") || strings.HasPrefix(c.URL, "postgresql://") {
		err = d.openPostgres(ctx, c)
	} else {
		err = d.openSQLite(ctx, c)
	}
	if err != nil {
		d.closePools()
		return nil, err
	}
	return d, nil
}

func (d *DB) openSQLite(ctx context.Context, c Config) error {
	d.engine = SQLite
	path, err := filepath.Abs(c.URL)
	if err != nil {
		return err
	}
	if !c.ReadOnly {
		if err := createSQLite(ctx, path); err != nil {
			return fmt.Errorf("db: create %s: %w", path, err)
		}
		d.writers = d.pool(sql.OpenDB(&sqliteConnector{path: path, role: sqliteWriter}))
		keeper := d.pool(sql.OpenDB(&sqliteConnector{path: path, role: sqliteKeeper}))
		w := &link{pool: d.writers}
		if err := w.open(ctx); err != nil {
			return err
		}
		d.work.Add(2)
		go d.sqliteWriter(w)
		go d.checkpoints(&link{pool: keeper})
	}
	return d.openReaders(ctx, d.pool(sql.OpenDB(&sqliteConnector{path: path, role: sqliteReader, readOnly: c.ReadOnly})))
}

func (d *DB) openPostgres(ctx context.Context, c Config) error {
	d.engine = Postgres
	if _, err := url.Parse(c.URL); err != nil {
		return fmt.Errorf("db: the address of the database cannot be read: %w", err)
	}
	if !c.ReadOnly {
		w, err := newPostgresConnector(c.URL, false)
		if err != nil {
			return err
		}
		d.writers = d.pool(sql.OpenDB(w))
	}
	r, err := newPostgresConnector(c.URL, true)
	if err != nil {
		return err
	}
	return d.openReaders(ctx, d.pool(sql.OpenDB(r)))
}

func (d *DB) pool(p *sql.DB) *sql.DB {
	p.SetMaxIdleConns(-1) // links keep their own connections
	d.pools = append(d.pools, p)
	return p
}

// openReaders makes the readers' links and connects the first, to see that
// the database answers.
func (d *DB) openReaders(ctx context.Context, p *sql.DB) error {
	d.readers = make(chan *link, d.nreader)
	for range d.nreader {
		d.readers <- &link{pool: p}
	}
	first := <-d.readers
	defer func() { d.readers <- first }()
	if err := first.open(ctx); err != nil {
		return fmt.Errorf("db: the database does not answer: %w", err)
	}
	return nil
}

// Close waits for the writes and reads under way and closes the database.
func (d *DB) Close() error {
	d.once.Do(func() {
		close(d.closing)
		d.queue.close()
		d.work.Wait()
		for range d.nreader {
			(<-d.readers).drop()
		}
	})
	return d.closePools()
}

func (d *DB) closePools() error {
	var first error
	for _, p := range d.pools {
		if err := p.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Engine names the database engine: "sqlite" or "postgres".
func (d *DB) Engine() string { return d.engine }

// Clock is the clock that Tx.Now and the ids follow.
func (d *DB) Clock() clock.Clock { return d.clock }

// NewID gives a time-ordered id: 41 bits of milliseconds since 2020, 10 bits
// of the node, 12 bits of a counter. Each is larger than the one before.
func (d *DB) NewID() int64 { return d.ids.next(d.clock) }

// Update runs fn in a writing transaction of the normal lane.
func (d *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	return d.UpdateLane(ctx, LaneNormal, fn)
}

// UpdateLane runs fn in a writing transaction and returns once that is durable,
// or returns fn's error when it is undone. See the package comment for what fn
// may do. When ctx ends before fn has begun, fn is not run and ctx's error is
// returned; after that the outcome is waited for.
func (d *DB) UpdateLane(ctx context.Context, lane Lane, fn func(*Tx) error) error {
	if !d.mayWrite() {
		return errNodeLost
	}
	return d.updateLane(ctx, lane, fn)
}

func (d *DB) updateLane(ctx context.Context, lane Lane, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch {
	case ctx.Value(inside{}) == any(d):
		return errNested
	case d.readOnly:
		return errReadOnly
	case lane < 0 || lane >= lanes:
		return fmt.Errorf("db: lane %d does not exist", lane)
	}
	w := &write{ctx: ctx, lane: lane, fn: fn, done: make(chan error, 1)}
	spare, err := d.queue.put(w)
	if err != nil {
		return err
	}
	if d.engine == Postgres && !spare {
		d.morePostgresWriters()
	}
	select {
	case err = <-w.done:
	case <-ctx.Done():
		if w.taken.CompareAndSwap(writeWaiting, writeGivenUp) {
			return ctx.Err()
		}
		err = <-w.done
	}
	if err != nil {
		return err
	}
	for _, after := range w.after {
		after()
	}
	return nil
}

// maxAsking bounds the reads of people that wait. More would only wait longer
// than anybody looks at a screen, and take memory and time from those before.
const maxAsking = 128

type person struct{}

// ForPerson marks what is done while somebody waits at a screen: it is turned
// away when too many wait. Background work waits as long as it takes.
func ForPerson(ctx context.Context) context.Context { return context.WithValue(ctx, person{}, true) }

// View runs fn on a snapshot that it can only read. fn may run twice when a
// connection is lost.
func (d *DB) View(ctx context.Context, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Value(inside{}) == any(d) {
		return errNested
	}
	var l *link
	select {
	case l = <-d.readers:
	default:
		if ctx.Value(person{}) != nil {
			defer d.asking.Add(-1)
			if d.asking.Add(1) > maxAsking {
				return errCrowded()
			}
		}
		select {
		case l = <-d.readers:
		case <-ctx.Done():
			return ctx.Err()
		case <-d.closing:
			return errClosed()
		}
	}
	defer func() { d.readers <- l }()
	for attempt := 0; ; attempt++ {
		err, again := d.viewOnce(ctx, l, fn)
		if !again {
			return err
		}
		if attempt == maxRuns {
			return errDown(err)
		}
		if d.wall.Sleep(ctx, pause(attempt)) != nil {
			return ctx.Err()
		}
	}
}

func (d *DB) viewOnce(ctx context.Context, l *link, fn func(*Tx) error) (err error, again bool) {
	select {
	case <-d.closing:
		return errClosed(), false
	default:
	}
	if err := l.open(ctx); err != nil {
		return err, isLost(err)
	}
	if err := l.raw(func(s session) error { return s.begin(ctx) }); err != nil {
		l.drop()
		return err, isLost(err) || isConflict(err)
	}
	tx := d.newTx(ctx, l, false)
	defer func() {
		tx.closeRows()
		if l.raw(session.rollback) != nil { // also after runtime.Goexit
			l.drop()
		}
	}()
	err = tx.call(fn)
	again = err != nil && ctx.Err() == nil && (isLost(err) || isLost(tx.failed) || isConflict(tx.failed))
	return err, again
}
