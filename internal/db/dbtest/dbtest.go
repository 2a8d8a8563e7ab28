package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
)

// Start is the moment at which every test's clock stands: a Monday, a working
// day, 9:00 in the morning.
var Start = time.Date(2026, 11, 23, 9, 0, 0, 0, clock.Shanghai)

// Each runs fn as the subtests "sqlite" and "postgres".
func Each(t *testing.T, schemas []db.Schema, fn func(t *testing.T, d *db.DB, c *clock.Virtual)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		d, c := SQLite(t, schemas...)
		fn(t, d, c)
	})
	t.Run("postgres", func(t *testing.T) {
		d, c := Postgres(t, schemas...)
		fn(t, d, c)
	})
}

// SQLite opens a fresh SQLite database with the schemas; the test closes it.
func SQLite(t testing.TB, schemas ...db.Schema) (*db.DB, *clock.Virtual) {
	t.Helper()
	return open(t, SQLitePath(t, schemas...), schemas)
}

// Postgres opens a fresh PostgreSQL database with the schemas; the test closes
// it. The cluster does not flush to disk; Durable does.
func Postgres(t testing.TB, schemas ...db.Schema) (*db.DB, *clock.Virtual) {
	t.Helper()
	return open(t, PostgresURL(t, schemas...), schemas)
}

func open(t testing.TB, url string, schemas []db.Schema) (*db.DB, *clock.Virtual) {
	t.Helper()
	c := clock.NewVirtual(Start)
	d, err := db.Open(context.Background(), db.Config{URL: url, Clock: c, Node: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	if err := d.Migrate(context.Background(), schemas...); err != nil {
		t.Fatal(err)
	}
	return d, c
}

// templates remembers what was migrated before, by engine and schemas.
var templates = struct {
	sync.Mutex
	made map[string]string
}{made: map[string]string{}}

// template gives the name of the template for the schemas, making it with
// build when it is the first of its kind in this process.
func template(kind string, schemas []db.Schema, build func(name string) error) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %#v", kind, schemas)
	key := hex.EncodeToString(h.Sum(nil))[:16]
	templates.Lock()
	defer templates.Unlock()
	if name, ok := templates.made[key]; ok {
		return name, nil
	}
	name := "template_" + key
	if err := build(name); err != nil {
		return "", err
	}
	templates.made[key] = name
	return name, nil
}

func migrated(url string, schemas []db.Schema) error {
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{URL: url, Clock: clock.NewVirtual(Start)})
	if err != nil {
		return err
	}
	if err := d.Migrate(ctx, schemas...); err != nil {
		d.Close()
		return err
	}
	return d.Close()
}

// SQLitePath makes a fresh SQLite file with the schemas, for tests that open
// it themselves or hand it to a child process.
func SQLitePath(t testing.TB, schemas ...db.Schema) string {
	t.Helper()
	dir := t.TempDir()
	var bytes []byte
	_, err := template("sqlite", schemas, func(name string) error {
		path := filepath.Join(dir, name)
		if err := migrated(path, schemas); err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		sqliteFiles.Store(name, data)
		return err
	})
	if err == nil {
		bytes, err = sqliteTemplate(schemas)
	}
	if err != nil {
		t.Fatalf("dbtest: SQLite: %v", err)
	}
	path := filepath.Join(dir, "hotline.db")
	if err := os.WriteFile(path, bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sqliteFiles holds the migrated files by template name.
var sqliteFiles sync.Map

func sqliteTemplate(schemas []db.Schema) ([]byte, error) {
	name, err := template("sqlite", schemas, nil)
	if err != nil {
		return nil, err
	}
	data, _ := sqliteFiles.Load(name)
	return data.([]byte), nil
}
