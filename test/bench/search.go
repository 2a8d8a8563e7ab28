package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"hotline/internal/db"
	"hotline/internal/zh"
)

// benchSearch indexes 100,000 texts and searches them, ranked.
func benchSearch(ctx context.Context) error {
	const size = 100_000
	dir, err := os.MkdirTemp("", "hotline-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d, err := db.Open(ctx, db.Config{URL: filepath.Join(dir, "text.db"), Node: 1})
	if err != nil {
		return err
	}
	defer d.Close()
	index := db.Text("words")
	if err := d.Migrate(ctx, index.Schema()); err != nil {
		return err
	}
	start := time.Now()
	rnd := rand.New(rand.NewPCG(12345, 1))
	for from := 0; from < size; from += 1000 {
		if err := d.Update(ctx, func(tx *db.Tx) error {
			for i := range 1000 {
				if err := index.Put(tx, int64(from+i+1), zh.Grams(matter(rnd))); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "  10万条索引用时 %v\n", time.Since(start).Round(time.Second))
	for _, q := range []string{"电梯", "电梯停运", "关山街道 路灯", "光谷花园 夜间施工噪声", "物业"} {
		found := 0
		r, err := alone(60, func(int) error {
			return d.View(ctx, func(tx *db.Tx) error {
				hits, err := index.Search(tx, zh.QueryGrams(q), 50)
				found = len(hits)
				return err
			})
		})
		if err != nil {
			return err
		}
		line("10万条排序检索“"+q+"”", fmt.Sprintf("p50 %v p99 %v（%d条）", r.p(0.5), r.p(0.99), found), "p50≤20毫秒", r.p(0.5) <= 20*time.Millisecond, "", "")
	}
	return nil
}

// matter makes a text of some sixty characters.
func matter(r *rand.Rand) string {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	return pick([]string{"关山街道", "珞南街道", "花桥街道", "水果湖街道", "洪山镇", "青山街道", "白沙洲街道", "古田街道"}) +
		pick([]string{"光谷花园", "保利时代", "幸福小区", "金色家园", "花艳村", "万科城", "丽岛花园", "东湖名居"}) + fmt.Sprint(r.IntN(40)+1) + "栋" +
		pick([]string{"电梯停运多日", "路灯不亮", "夜间施工噪声扰民", "垃圾无人清运", "下水道堵塞", "自来水浑浊", "占道经营", "物业乱收费", "欠薪未发", "公交线路太少"}) + "，" +
		pick([]string{"老人出行不便", "影响居民休息", "多次联系物业无果", "夏天异味严重", "存在安全隐患", "孩子上学绕路"}) + "，" +
		pick([]string{"希望相关部门尽快核查处理", "要求责令整改并告知结果", "请协调维修", "请说明依据", "希望尽快恢复"}) + "。"
}
