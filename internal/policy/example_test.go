package policy_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/policy"
)

// What is in force is asked for a platform and a moment: the embedded default
// until the province publishes, then its version, then the platform's own.
func ExampleStore_At() {
	dir, err := os.MkdirTemp("", "policy")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	monday := time.Date(2026, 11, 23, 9, 0, 0, 0, clock.Shanghai)
	d, err := db.Open(ctx, db.Config{URL: filepath.Join(dir, "a.db"), Clock: clock.NewVirtual(monday)})
	if err != nil {
		panic(err)
	}
	defer d.Close()
	if err := d.Migrate(ctx, policy.Schema()); err != nil {
		panic(err)
	}
	s := policy.New(d)
	s.Register("sign", policy.Kind{Label: "签收时限", Default: func() []byte { return []byte(`{"hours":8}`) }})
	const wuhan = 420100
	for _, p := range []policy.Publication{
		{Kind: "sign", Doc: []byte(`{"hours":4}`), By: 1, EffectiveFrom: monday.AddDate(0, 0, 1)},
		{Kind: "sign", Doc: []byte(`{"hours":2}`), By: 2, EffectiveFrom: monday.AddDate(0, 0, 2), Platform: wuhan},
	} {
		if err := d.Update(ctx, func(tx *db.Tx) error { _, err := s.Publish(tx, p); return err }); err != nil {
			panic(err)
		}
	}
	for day := range 3 {
		at := monday.AddDate(0, 0, day)
		_, province := s.At("sign", policy.Province, at)
		_, city := s.At("sign", wuhan, at)
		fmt.Println(at.Format("1月2日"), "全省", string(province), "武汉", string(city))
	}
	// Output:
	// 11月23日 全省 {"hours":8} 武汉 {"hours":8}
	// 11月24日 全省 {"hours":4} 武汉 {"hours":4}
	// 11月25日 全省 {"hours":4} 武汉 {"hours":2}
}
