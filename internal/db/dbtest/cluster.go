package dbtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"

	"github.com/jackc/pgx/v5/pgconn"
)

// PostgresURL makes a fresh PostgreSQL database with the schemas in the
// process's cluster, for tests that open it themselves.
func PostgresURL(t testing.TB, schemas ...db.Schema) string {
	t.Helper()
	return fast.database(t, schemas)
}

// Durable is PostgresURL on a cluster that flushes every commit to disk, for
// tests of durability and for measuring.
func Durable(t testing.TB, schemas ...db.Schema) string {
	t.Helper()
	return durable.database(t, schemas)
}

// cluster is a private PostgreSQL server, started on first use.
type cluster struct {
	name   string
	fsync  string
	once   sync.Once
	err    error
	dir    string // the socket's
	count  atomic.Int64
	create sync.Mutex // one CREATE DATABASE at a time: templates must be idle
	reaper io.Closer  // its other end ends the server when this process does
}

var (
	fast    = &cluster{name: "fast", fsync: "off"}
	durable = &cluster{name: "durable", fsync: "on"}
)

const missing = `dbtest: no PostgreSQL server programs under /usr/lib/postgresql/*/bin.
The tests run on SQLite and on PostgreSQL; install it (Debian: apt-get install postgresql-15)
and run them again. No server needs to be running or configured`

// programs finds the newest installed PostgreSQL.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		return "", errors.New(missing)
	}
	version := func(p string) float64 {
		v, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(filepath.Dir(p))), 64)
		return v
	}
	sort.Slice(found, func(i, j int) bool { return version(found[i]) < version(found[j]) })
	return filepath.Dir(found[len(found)-1]), nil
}

func (c *cluster) database(t testing.TB, schemas []db.Schema) string {
	t.Helper()
	c.once.Do(func() { c.err = c.start() })
	if c.err != nil {
		t.Fatal(c.err)
	}
	from, err := template(c.name, schemas, func(name string) error {
		if err := c.sql("CREATE DATABASE " + name); err != nil {
			return err
		}
		return migrated(c.url(name), schemas)
	})
	if err != nil {
		t.Fatalf("dbtest: PostgreSQL: %v", err)
	}
	name := fmt.Sprintf("t%d", c.count.Add(1))
	if err := c.sql("CREATE DATABASE " + name + " TEMPLATE " + from); err != nil {
		t.Fatalf("dbtest: PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if err := c.sql("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("dbtest: PostgreSQL: %v", err)
		}
	})
	return c.url(name)
}

func (c *cluster) url(database string) string {
	return "postgres://postgres@/" + database + "?host=" + c.dir
}

// sql runs a statement of administration. A template whose last connection
// is just closing counts as busy for a moment.
func (c *cluster) sql(text string) error {
	c.create.Lock()
	defer c.create.Unlock()
	ctx := context.Background()
	for n := 0; ; n++ {
		err := func() error {
			conn, err := pgconn.Connect(ctx, c.url("postgres"))
			if err != nil {
				return err
			}
			defer conn.Close(ctx)
			_, err = conn.Exec(ctx, text).ReadAll()
			return err
		}()
		var pg *pgconn.PgError
		if err == nil || n == 100 || !errors.As(err, &pg) || pg.Code != "55006" {
			return err
		}
		_ = clock.System().Sleep(ctx, 20*time.Millisecond)
	}
}

// start makes the cluster and waits until it answers.
func (c *cluster) start() error {
	bin, err := programs()
	if err != nil {
		return err
	}
	who, err := serverUser()
	if err != nil {
		return err
	}
	base, err := who.base()
	if err != nil {
		return err
	}
	sweep(base)
	dir, err := os.MkdirTemp(base, "run-")
	if err != nil {
		return err
	}
	if err := who.own(dir); err != nil {
		return err
	}
	// The reaper waits for this process to end, however it ends, then stops
	// the server and clears up.
	if c.reaper, err = who.reap(dir); err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	if err := who.copyCluster(bin, base, data); err != nil {
		return err
	}
	server := who.command(filepath.Join(bin, "postgres"), "-D", data,
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+dir,
		"-c", "max_connections=300", "-c", "shared_buffers=64MB",
		"-c", "fsync="+c.fsync, "-c", "full_page_writes="+c.fsync,
		"-c", "max_wal_size=2GB", "-c", "autovacuum_naptime=10s", "-c", "log_min_messages=fatal")
	if err := logTo(server, filepath.Join(dir, "log")); err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	c.dir = dir
	for n := 0; ; n++ {
		err := c.ping()
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(filepath.Join(dir, "log"))
			return fmt.Errorf("dbtest: PostgreSQL ended at once: %s", text)
		case <-clock.System().After(20 * time.Millisecond):
		}
		if n == 1500 {
			return fmt.Errorf("dbtest: PostgreSQL does not answer: %w", err)
		}
	}
}

func (c *cluster) ping() error {
	conn, err := pgconn.Connect(context.Background(), c.url("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(context.Background())
}

func logTo(cmd *exec.Cmd, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = f, f
	return nil
}

// account is whom the server runs as: PostgreSQL refuses to run as root.
type account struct {
	uid, gid int
	switched bool
}

func serverUser() (account, error) {
	if os.Getuid() != 0 {
		return account{uid: os.Getuid(), gid: os.Getgid()}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return account{}, fmt.Errorf("dbtest: PostgreSQL does not run as root and there is no user postgres: %w", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return account{uid: uid, gid: gid, switched: true}, nil
}

func (a account) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if a.switched {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return cmd
}

func (a account) own(path string) error {
	if err := os.Chmod(path, 0o700); err != nil {
		return err
	}
	return os.Chown(path, a.uid, a.gid)
}

// base is the directory of this account's clusters; short, because the path
// of a unix socket may have 107 bytes only.
func (a account) base() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("hotline-dbtest-%d", a.uid))
	if len(dir) > 70 {
		dir = filepath.Join("/tmp", filepath.Base(dir))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, a.own(dir)
}

// copyCluster gives data a fresh cluster. initdb runs once for all processes
// and later ones copy what it made.
func (a account) copyCluster(bin, base, data string) error {
	lock, err := os.OpenFile(filepath.Join(base, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	made := filepath.Join(base, "initdb-"+strings.ReplaceAll(strings.Trim(bin, "/"), "/", "-"))
	if _, err := os.Stat(made); err != nil {
		fresh := made + ".new"
		if err := os.RemoveAll(fresh); err != nil {
			return err
		}
		out, err := a.command(filepath.Join(bin, "initdb"), "-D", fresh, "-U", "postgres", "-A", "trust",
			"-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions").CombinedOutput()
		if err != nil {
			return fmt.Errorf("dbtest: initdb: %w\n%s", err, out)
		}
		if err := os.Rename(fresh, made); err != nil {
			return err
		}
	}
	if out, err := a.command("/bin/cp", "-a", made, data).CombinedOutput(); err != nil {
		return fmt.Errorf("dbtest: copy the cluster: %w\n%s", err, out)
	}
	return nil
}
