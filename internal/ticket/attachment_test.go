package ticket

import (
	"context"
	"errors"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
)

// A file that became part of no ticket in a month is destroyed; tied and younger
// ones stay, and what failed half way goes on next time.
func TestLooseFilesAreDestroyed(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		desk := w.who(access.Dispatcher, "P420100")
		upload := func(ref string) Attachment {
			a, err := w.s.Attach(t.Context(), desk, Attachment{Name: ref + ".jpg", Kind: "jpg", Size: 1, Ref: ref})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		tied, loose, stuck := upload("tied"), upload("loose"), upload("stuck")
		one := w.create(nil)
		w.must(desk, one.ID, "note", map[string]any{"text": "现场照片见附件。", "files": []any{tied.ID}})
		c.Advance(20 * 24 * time.Hour)
		young := upload("young")
		c.Advance(11 * 24 * time.Hour)
		var gone []string
		broken := true
		remove := func(_ context.Context, ref string) error {
			if ref == "stuck" && broken {
				return errors.New("disk")
			}
			gone = append(gone, ref)
			return nil
		}
		if _, err := w.s.DropLoose(t.Context(), remove); err == nil {
			t.Error("the broken disk was not told")
		}
		if _, err := w.try(desk, one.ID, "note", map[string]any{"text": "再附一张。", "files": []any{stuck.ID}}); err == nil {
			t.Error("a file was tied while it was destroyed")
		}
		if _, err := w.s.OpenAttachment(t.Context(), desk, 0, stuck.ID); err == nil {
			t.Error("a file opens while it is destroyed")
		}
		broken = false
		if n, err := w.s.DropLoose(t.Context(), remove); err != nil || n == 0 {
			t.Error(n, err)
		}
		if len(gone) != 2 {
			t.Errorf("destroyed %v", gone)
		}
		for a, want := range map[Attachment]bool{tied: true, young: true, loose: false, stuck: false} {
			if _, err := w.s.OpenAttachment(t.Context(), desk, 0, a.ID); (err == nil) != want {
				t.Errorf("%s: %v", a.Ref, err)
			}
		}
	})
}

// The files of a refused form are destroyed at once, those of a ticket stay, and
// every file with a row is named.
func TestRefusedFilesAreDropped(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	desk := w.who(access.Dispatcher, "P420100")
	var files []Attachment
	for _, ref := range []string{"tied", "refused"} {
		a, err := w.s.Attach(t.Context(), desk, Attachment{Name: ref + ".jpg", Kind: "jpg", Size: 1, Ref: ref})
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, a)
	}
	w.must(desk, w.create(nil).ID, "note", map[string]any{"text": "现场照片见附件。", "files": []any{files[0].ID}})
	var gone []string
	if err := w.s.Drop(t.Context(), files, func(_ context.Context, ref string) error { gone = append(gone, ref); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(gone) != 1 || gone[0] != "refused" {
		t.Errorf("destroyed %v", gone)
	}
	if named, err := w.s.Named(t.Context(), []string{"tied", "refused", "never"}); err != nil || len(named) != 1 || named[0] != "tied" {
		t.Error(named, err)
	}
}
