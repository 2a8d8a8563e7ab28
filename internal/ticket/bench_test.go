package ticket

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
)

// BenchmarkCreateAndDispatch takes requests in and dispatches them, durable,
// with 32 writers.
func BenchmarkCreateAndDispatch(b *testing.B) {
	d, err := db.Open(context.Background(), db.Config{URL: b.TempDir() + "/bench.db", Node: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(context.Background(), schemas()...); err != nil {
		b.Fatal(err)
	}
	w := newWorldOn(b, d, clock.NewVirtual(time.Unix(0, 0)))
	seat, dispatcher := w.who(access.Agent, "P420100"), w.who(access.Dispatcher, "P420100")
	dept := w.units["D420100-chengguan"].ID
	var n atomic.Int64
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			got, err := w.s.Create(context.Background(), seat, Intake{Type: "投诉", Category: "040101", Region: "420111", Title: "夜间施工噪声扰民", Content: "保利时代小区北侧工地连续三晚施工到凌晨，要求核查夜间施工许可并责令整改。", Address: "关山街道保利时代3栋",
				Requester: Requester{Kind: "个人", Name: "李小明", Phone: "13800002671"}, Secrecy: SecrecyNormal, Channel: "phone", Platform: w.units["P420100"].ID, Status: ToDispatch})
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := w.s.Do(context.Background(), dispatcher, got.ID, Action{Name: "dispatch", Version: 1, Fields: map[string]any{"unit": dept}}); err != nil {
				b.Error(err)
				return
			}
			n.Add(1)
		}
	})
	b.ReportMetric(float64(n.Load())/b.Elapsed().Seconds(), "件/秒")
}
