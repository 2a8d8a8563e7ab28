package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/blob"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/ticket"
)

// A crash between a file and its row leaves nothing for longer than a day; the
// files of another database are not touched.
func TestCollect(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	a, err := Open(ctx, Config{Data: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	put := func() blob.Ref {
		ref, err := a.Blobs.Put(ctx, strings.NewReader("现场照片"))
		if err != nil {
			t.Fatal(err)
		}
		old := clock.System().Now().Add(-2 * collectAfter)
		if err := os.Chtimes(filepath.Join(dir, "blob", string(ref[:2]), string(ref[2:])), old, old); err != nil {
			t.Fatal(err)
		}
		return ref
	}
	named, lost := put(), put()
	if _, err := a.Ticket.Attach(ctx, access.AsCitizen(0, ""), ticket.Attachment{Name: "1.jpg", Kind: "jpg", Size: 1, Ref: string(named)}); err != nil {
		t.Fatal(err)
	}
	exists := func(ref blob.Ref) bool {
		f, err := a.Blobs.Open(ctx, ref)
		if err == nil {
			f.Close()
		}
		return err == nil
	}
	collect := func() {
		if err := a.collect(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if collect(); !exists(lost) {
		t.Error("a file older than the database is gone")
	}
	if err := a.DB.Update(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE schema_migration SET at = at - $1`, (30 * 24 * time.Hour).Milliseconds())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if collect(); exists(lost) || !exists(named) {
		t.Errorf("lost file stays: %t, named file stays: %t", exists(lost), exists(named))
	}
}
