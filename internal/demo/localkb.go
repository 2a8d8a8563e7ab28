package demo

import (
	"context"
	"fmt"
	"strings"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/knowledge"
	"hotline/internal/org"
	"hotline/internal/region"
)

// local are drafts that the departments of every city are writing, so that the
// knowledge desks have work of their own.
var local = []struct {
	title, path, kind, body string
	submit                  bool
}{
	{"{city}城区夜间施工投诉受理口径", "城市管理/施工管理/夜间施工", "业务口径", "夜间二十二时至次日六时，城区一般不得进行产生环境噪声的建筑施工。因工艺需要连续作业的，施工单位应当取得证明并公告附近居民。\n座席应问清工地名称、位置和施工时段，正在施工的即时派单。", true},
	{"{city}占道经营整治时段和区域说明", "城市管理/市容秩序/占道经营", "日常咨询", "主次干道和学校、医院周边为严禁区，便民疏导点按规定时段经营。市民反映占道经营的，请记录路名、时段和经营种类。\n疏导点位置以城市管理部门公布的为准。", true},
	{"{city}便民疏导点申请指南", "城市管理/市容秩序/便民疏导", "办事指南", "申请人持身份证和健康证明，到所在街道便民服务中心登记，按抽签或轮候安排摊位。\n不收取摊位费以外的费用，食品摊位须办理备案。", true},
	{"{city}生活垃圾分类投放要求", "城市管理/环境卫生/垃圾分类", "热点问答", "生活垃圾分为可回收物、有害垃圾、厨余垃圾和其他垃圾。居民应按小区公布的时间定点投放。\n大件垃圾请提前与物业或环卫部门预约清运。", true},
	{"{city}共享单车停放管理口径", "城市管理/市容秩序/车辆停放", "业务口径", "企业应在接到通知后及时清理乱停放车辆，早晚高峰重点路段有人值守。\n座席受理时请记录路名和企业名称，群体淤积的按紧急派单。", true},
	{"{city}户外广告设置审批指南", "城市管理/市容秩序/户外广告", "办事指南", "设置户外广告和招牌，由设置人向城市管理部门提出申请，提交设置方案、产权或使用证明。\n受理后按承诺时限办结。", false},
	{"{city}城区路灯报修说明", "城市管理/市政设施/路灯照明", "日常咨询", "路灯不亮、灯杆倾斜、线缆裸露均可报修，请记录路名和灯杆编号。\n一般故障二十四小时内修复，涉及电缆被挖断的按抢修计划处理。", false},
	{"{city}油烟扰民投诉分办口径", "生态环境/大气污染/餐饮油烟", "业务口径", "有固定场所的餐饮油烟由城市管理部门执法，无证经营由市场监管部门处理。\n座席应问清店名、位置和油烟时段。", false},
}

// localArticles has the knowledge editors of every city write them; half wait
// for the 知识管理员.
func localArticles(ctx context.Context, a *app.App, p *people) error {
	tree := a.Org.Tree()
	for _, u := range tree.All() {
		if !u.Active || u.Kind != org.KindCity && u.Kind != org.KindProvince {
			continue
		}
		home, ok := homeUnit(tree, u.Region)
		if !ok {
			continue
		}
		editor, err := p.named(ctx, home.ID, access.KBEditor)
		if err != nil {
			return err
		}
		place, _ := region.Get(u.Region)
		name := cityName(place)
		for _, l := range local {
			fill := strings.NewReplacer("{city}", name).Replace
			t := knowledge.Text{Title: fill(l.title), Path: l.path, Kind: l.kind, Source: home.Name, Unit: home.ID, Region: u.Region, Body: fill(l.body),
				ValidFrom: midnight(a.Clock.Now()), Keywords: []string{name, strings.Split(l.path, "/")[2], home.Short}, Public: true}
			err := a.DB.Update(ctx, func(tx *db.Tx) error {
				art, err := a.Knowledge.CreateTx(tx, editor, t)
				if err != nil || !l.submit {
					return err
				}
				_, err = a.Knowledge.DoTx(tx, editor, art.ID, art.Version, "submit", "")
				return err
			})
			if err != nil && !fault.Is(err, "knowledge_title_taken") {
				return fmt.Errorf("demo: knowledge of %s: %w", name, err)
			}
		}
	}
	return nil
}
