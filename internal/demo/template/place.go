package template

import (
	"hash/fnv"
	"strings"
)

// Place is where a request comes from: a township of a county of a city. For
// the 省直管 the county is the city itself.
type Place struct {
	City   string // 武汉市, 恩施州
	County string // 洪山区
	Code   string // code of the county
	Town   string // 关山街道
}

// urban tells a 街道 from the countryside.
func (p Place) urban() bool {
	return strings.HasSuffix(p.Town, "街道") || strings.HasSuffix(p.Town, "街道办事处") || strings.HasSuffix(p.Town, "办事处")
}

// suits is how well a kind of place fits the township; 0 is not at all.
func (p Place) suits(kind string) float64 {
	rural := map[bool]float64{true: 1.5, false: 1}[strings.HasSuffix(p.Town, "乡")]
	switch kind {
	case "village":
		if p.urban() {
			return 0
		}
		return rural
	case "none", "home":
		return 1
	case "metro":
		if p.urban() {
			return 1
		}
		return 0
	}
	switch {
	case p.urban():
		return 1
	case strings.HasSuffix(p.Town, "乡"):
		return 0.3
	}
	return 0.7
}

// pick draws one of n invented names of a kind in this township. The list of
// names follows from the township alone, so they turn up again.
func (p Place) pick(kind string, i int, first, last []string) string {
	h := fnv.New64a()
	h.Write([]byte(p.Code + "|" + p.Town + "|" + kind + "|"))
	h.Write([]byte{byte(i)})
	v := h.Sum64()
	v ^= v >> 29
	v *= 0xbf58476d1ce4e5b9
	v ^= v >> 32
	return first[v%uint64(len(first))] + last[(v/uint64(len(first)))%uint64(len(last))]
}

// Names of places are invented from parts that could be anywhere.
var (
	roadFirst   = strings.Fields("文华 建业 兴业 学府 朝晖 迎春 育才 康健 振兴 创业 民生 丰收 广源 锦程 金桂 银杏 香樟 紫荆 白兰 望江 滨河 环湖 前程 丰泽 惠民 清溪 腾飞 锦绣 枫林 翠微 星火 科创 云帆 翠竹 鸣泉 百汇 福泽 顺达 荷塘 梅园 兰亭 松涛")
	roadLast    = strings.Fields("路 路 路 大道 街 一路 二路 中路 南路 北路")
	estateFirst = strings.Fields("锦绣江南 翰林 书香 金色 翠竹 云锦 和顺 福泰 星河 明珠 丽景 碧水 绿苑 盛世 万和 御景 紫薇 桂苑 梧桐 枫林 香樟 清荷 观澜 听涛 宏远 瑞景 康乐 春晓 天悦 锦程 祥和 百合 水岸 云栖 雅居 橡树湾 玉兰 金桥 阳光 沁园")
	estateLast  = strings.Fields("小区 花园 家园 名苑 华府 雅苑 公馆 佳苑 名邸 尚城 美庭")
	villageName = strings.Fields("新桥 柳林 石桥 双河 龙泉 青石 白果 杨林 李湾 张畈 王冲 陈湾 周畈 刘岭 何冲 樟树 枫树 桃林 竹园 响水 金盆 土桥 塘湾 黄龙 观音寨 马鞍 桐子 栗树 荷叶 清水 三合 五星 合心 同心 建新 向阳")
	firmFirst   = strings.Fields("鑫达 宏盛 恒源 联创 中拓 博远 天合 瑞丰 德盛 华创 金科 鼎新 嘉禾 盛泰 启元 众诚 远航 立信 汇丰源 佳和 同兴 长盈 凯歌 聚力")
	firmLast    = strings.Fields("科技 电子 服饰 物流 建材 食品 机械 商贸 塑业 家具 纺织 包装")
	schoolFirst = strings.Fields("育才 晨光 明德 启明 新苗 文华 博雅 崇文 向阳 求实 弘毅 致远")
	kgFirst     = strings.Fields("启航 小太阳 金苗 蓝天 童心 七彩 小星星 春芽 金色摇篮 贝贝 智慧树 小天鹅")
	hospFirst   = strings.Fields("康民 同康 安泰 惠众 益民 普康 德济 永康")
	parkFirst   = strings.Fields("滨湖 翠岭 荷香 梅岭 清溪 月亮湾 松林 柳堤 桃花 银杏")
	bankFirst   = strings.Fields("汇民 惠农 通商 信和 富民")
	shopFirst   = strings.Fields("鑫源 聚福 满堂 小城 佳美 新天地 美佳 百顺 好运来 永盛 万顺 雅馨 金鼎 盛源 丽人 锦华 顺风 康福 悦来 同乐 时尚 家家福 诚信 福满园 巧手 老街 阿婆 兴旺")
	projectLast = strings.Fields("二期项目 三期项目 商业中心项目 还建项目 住宅项目")
)

// shopLast are the names of shops by kind.
var shopLast = map[string][]string{
	"中介": {"房产经纪", "房产中介", "置业顾问"}, "公寓": {"长租公寓", "公寓管理公司"}, "餐馆": {"私房菜馆", "牛肉面馆", "火锅店", "烧烤店", "小龙虾馆", "快餐店", "酒楼"},
	"商场停车场": {"购物中心停车场", "商业广场停车场"}, "驾校": {"驾校"}, "汽修": {"汽车维修厂", "汽修店"}, "棋牌室": {"棋牌室", "麻将馆"}, "足浴": {"足浴店", "按摩店"}, "KTV": {"KTV", "音乐会所"},
	"法律咨询公司": {"法律咨询公司"}, "家电": {"家电商场", "电器店", "家居家电城"}, "手机": {"手机店", "通讯店"}, "干洗": {"干洗店", "洗衣店"}, "汽车": {"汽车销售公司", "汽车4S店"}, "金店": {"金店", "珠宝行"},
	"美发": {"美发店", "理发店", "造型"}, "健身": {"健身房", "健身俱乐部"}, "美容": {"美容院", "美容会所"}, "影楼": {"婚纱影楼", "摄影工作室"}, "家政": {"家政服务部", "搬家维修服务部"}, "酒店": {"酒店", "民宿", "宾馆"},
	"装饰": {"装饰公司", "装修公司"}, "超市": {"生活超市", "便利超市", "超市"}, "外卖店": {"炸鸡店", "盖饭店", "奶茶店"}, "保健品": {"健康生活馆", "保健品店"}, "药店": {"大药房", "药店"}, "理疗": {"理疗体验店"},
	"化妆品": {"化妆品店"}, "烟酒": {"烟酒店"}, "五金": {"五金电器店"}, "电动车": {"电动车行"}, "菜市场摊位": {"农贸市场肉摊", "菜市场水果摊", "农贸市场水产摊"}, "养生": {"养生馆"}, "商场": {"购物中心", "商场"},
	"液化气站": {"液化气站"}, "劳务中介": {"劳务中介所", "职业介绍所"}, "诊所": {"诊所"}, "医美": {"医美工作室"}, "游泳馆": {"游泳馆"}, "网吧": {"网吧", "网咖"}, "培训": {"艺术培训学校", "教育培训中心"}, "成人培训": {"职业培训学校"},
	"旅行社": {"旅行社"}, "书店": {"书店"}, "服装": {"服装店"}, "农资": {"农资店"}, "养老院": {"养老院", "老年公寓"}, "保险": {"财产保险公司", "保险公司"}, "停车场": {"停车场"}, "投资": {"投资管理公司"}, "小贷": {"小额贷款公司"}, "加油站": {"加油站"},
}
