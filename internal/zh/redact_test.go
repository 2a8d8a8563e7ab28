package zh

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestRedact(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		// telephone numbers, however written
		{"请回电13812342671，谢谢", "请回电***********，谢谢"},
		{"我的电话是138 1234 2671。", "我的电话是*************。"},
		{"手机：138-1234-2671", "手机：*************"},
		{"手机１３８１２３４２６７１", "手机***********"},
		{"打一三八一二三四二六七一找我", "打***********找我"},
		{"打幺三八，一二三四，二六七幺", "打*************"},
		{"号码1 3 8 1 2 3 4 2 6 7 1", "号码*********************"},
		{"号码①③⑧①②③④②⑥⑦①", "号码***********"},
		{"号码1️⃣3️⃣8️⃣12342671", "号码*****************"},
		{"+86 13812342671", "+86 ***********"},
		{"8613812342671打不通", "*************打不通"},
		{"138o123426l1可以加", "************可以加"},
		{"电话13812342671/13987654321", "电话***********/***********"},
		{"138\u200b1234\u200b2671", "*************"},
		{"单号一13812342671", "单号一***********"},
		{"座机027-87654321转8001", "座机************转8001"},
		{"（0710）345 6789", "（*************"},
		{"办公室02787654321", "办公室***********"},
		{"家里电话87654321没人接", "家里电话********没人接"},
		{"138****2671", "138****2671"},
		// identity and bank cards, papers
		{"身份证号420111199003074258", "身份证号******************"},
		{"身份证42011119900307425X的本人", "身份证******************的本人"},
		{"身份证420111 19900307 4258", "身份证********************"},
		{"证号４２０１１１１９９００３０７４２５８", "证号******************"},
		{"老身份证420111900307425", "老身份证***************"},
		{"转到卡号6222 0212 3456 7890 128", "转到卡号***********************"},
		{"银行卡6222021234567890128", "银行卡*******************"},
		{"护照号E12345678", "护照号*********"},
		// plates
		{"鄂A·12345乱停", "鄂A·*****乱停"},
		{"鄂AD12345挡住消防通道", "鄂A******挡住消防通道"},
		{"车牌号A8K123的货车", "车牌号******的货车"},
		// accounts
		{"邮箱li_ming.88@example.com.cn请查收", "邮箱*************************请查收"},
		{"邮箱ｌｉ＠ｑｑ．ｃｏｍ", "邮箱*********"},
		{"加QQ：123456789", "加QQ：*********"},
		{"微信号：wx_liming88", "微信号：***********"},
		{"微信liming_2020联系", "微信***********联系"},
		// names
		{"我叫张伟，反映路灯不亮", "我叫张*，反映路灯不亮"},
		{"我叫欧阳娜娜。", "我叫欧阳**。"},
		{"本人陈静，住在这里十年", "本人陈*，住在这里十年"},
		{"我是刘洋，想咨询医保", "我是刘*，想咨询医保"},
		{"姓名：王小明 电话13812342671", "姓名：王** 电话***********"},
		{"联系人：李娜", "联系人：李*"},
		{"投诉人赵敏称多次报修", "投诉人赵*称多次报修"},
		{"请找李建国先生", "请找李**先生"},
		{"周芳女士来电", "周*女士来电"},
		{"业主刘建国多次反映", "业主刘**多次反映"},
		{"村民王大锤占用集体土地", "村民王**占用集体土地"},
		{"李明13812342671", "李************"},
		{"李明，电话：13812342671", "李*，电话：***********"},
		{"13812342671（孙丽）", "***********（孙*）"},
		{"姓名：阿依古丽·买买提", "姓名：阿*******"},
		{"包工头汪平裕拖欠工资", "包工头汪**拖欠工资"},
		// dwellings
		{"家住关山大道12号3栋2单元501室", "家住关山大道**号*栋*单元***室"},
		{"保利花园3栋2单元501，漏水", "保利花园*栋*单元***，漏水"},
		{"三栋二单元五零一室", "*栋*单元***室"},
		{"住在6号楼1203", "住在*号楼****"},
		{"万科城12-3-502", "万科城********"},
		{"A座1709室", "*座****室"},
		{"3#2-501的住户", "*#*****的住户"},
		{"住址：建设三路8号", "住址：建设三路*号"},
		{"门牌号：18", "门牌号：**"},
	} {
		if got := Redact(tt.in); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

func TestRedactLeavesWhatIsNotPersonal(t *testing.T) {
	for _, s := range []string{
		"",
		"请拨打12345或110，也可打400-820-8820咨询",
		"2024年6月12日15:30:00停水，至今没有恢复",
		"2024-06-12到2024-07-15期间",
		"工程款15000000元，面积120.5平方米",
		"工单012411220001586一直没有回复",
		"订单号202406121530001234567",
		"统一社会信用代码91420100MA4K2X8A6J",
		"3栋的电梯坏了半个月，5栋也一样",
		"小区共有12栋楼302户居民",
		"538路公交车晚点，地铁2号线拥挤",
		"关山大道12号地铁口积水",
		"一室一厅和三室两厅的价格",
		"业主都反映物业管理混乱，业主向居委会投诉",
		"村民高度重视，居民安全受影响",
		"群众常年反映，市民周末出行不便",
		"张先生和王女士都打过电话",
		"代课老师的工资，任课老师的意见",
		"社区书记和主任都来过现场",
		"联系人：物业公司",
		"举报人：匿名",
		"一、二、三、四、五项要求",
		"第13、14、15、16、17、18栋",
		"武汉市洪山区关山街道珞喻路1037号",
		"每月1500元，3个月4500元，一年18000元",
		"我们学校2024级3班46名学生",
	} {
		if got := Redact(s); got != s {
			t.Errorf("%s\n became %s", s, got)
		}
	}
}

// mobileRE is a mobile standing alone in half-width digits.
var mobileRE = regexp.MustCompile(`(?:^|[^0-9])1[3-9][0-9]{9}(?:$|[^0-9])`)

func survivor(s string) string { return mobileRE.FindString(Redact(s)) }

func TestNoMobileSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 6).Draw(t, "pieces") {
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				b.WriteString(rapid.String().Draw(t, "noise"))
			case 1:
				b.WriteString(rapid.StringOf(rapid.RuneFrom([]rune("0123456789 -，。电话单号栋室卡x一三八"))).Draw(t, "near"))
			default:
				b.WriteString("1" + rapid.StringMatching(`[3-9][0-9]{9}`).Draw(t, "mobile"))
			}
		}
		if left := survivor(b.String()); left != "" {
			t.Fatalf("%q of %q survives in %q", left, b.String(), Redact(b.String()))
		}
	})
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{"13812342671", "工单号138123426711", "一三八一二三四二六七一", "姓名：", "3栋2单元501室", "\xff138", "李明13812342671"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if left := survivor(s); left != "" {
			t.Fatalf("%q survives", left)
		}
		if got := Redact(s); utf8.RuneCountInString(got) != utf8.RuneCountInString(s) {
			t.Fatalf("length changed: %q to %q", s, got)
		}
	})
}

func TestSeparatedMobilesDoNotSurvive(t *testing.T) {
	digits := regexp.MustCompile(`[0-9]`)
	rapid.Check(t, func(t *rapid.T) {
		number := "1" + rapid.StringMatching(`[3-9][0-9]{9}`).Draw(t, "number")
		shape := rapid.SampledFrom([][]int{{3, 4, 4}, {3, 8}, {7, 4}, {4, 4, 3}, {3, 3, 5}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}).Draw(t, "shape")
		sep := rapid.SampledFrom([]string{" ", "-", "－", "—", ".", "  ", "·", " - ", "\u200b", "　"}).Draw(t, "separator")
		var groups []string
		for at, i := 0, 0; i < len(shape); i++ {
			groups = append(groups, number[at:at+shape[i]])
			at += shape[i]
		}
		writing := rapid.SampledFrom([]*strings.Replacer{
			strings.NewReplacer(),
			strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５", "6", "６", "7", "７", "8", "８", "9", "９"),
			strings.NewReplacer("0", "零", "1", "一", "2", "二", "3", "三", "4", "四", "5", "五", "6", "六", "7", "七", "8", "八", "9", "九"),
			strings.NewReplacer("0", "〇", "1", "幺", "2", "贰", "3", "叁", "4", "肆", "5", "伍", "6", "陆", "7", "柒", "8", "捌", "9", "玖"),
		}).Draw(t, "writing")
		in := "请打" + writing.Replace(strings.Join(groups, sep)) + "联系我"
		got := Redact(in)
		if digits.MatchString(got) || strings.ContainsAny(got, "０１２３４５６７８９零一二三四五六七八九〇幺贰叁肆伍陆柒捌玖") {
			t.Fatalf("%q became %q", in, got)
		}
	})
}

// TestNamesAndDwellingsInEverydaySentences is the recall of bar B16 on our own
// sentences: every name in every frame.
func TestNamesAndDwellingsInEverydaySentences(t *testing.T) {
	names := []string{"张伟", "王秀英", "李娜", "刘建国", "陈静", "杨帆", "赵丽华", "黄晓明", "周杰", "吴桂芳", "徐志强", "孙丽", "胡光明", "朱红梅", "高建平", "林峰", "何文斌", "郭小军", "马俊", "罗永红",
		"梁海燕", "宋佳", "郑成功", "谢霆", "韩梅", "唐国强", "冯雪", "于洋", "董明珠", "萧红", "程潇", "曹操", "袁朗", "邓超", "许晴", "傅莹", "沈腾", "曾志伟", "彭丹", "吕布", "苏轼", "欧阳修", "诸葛亮", "司马光", "万芳", "向佐", "关晓彤", "常远", "安以轩", "易中天"}
	frames := []string{"我叫%s，反映小区停水。", "姓名：%s，男，45岁", "联系人：%s 电话13812342671", "投诉人%s要求退款", "本人%s，住洪山区", "%s先生来电反映噪音", "接到%s女士投诉", "举报人：%s（13812342671）", "户主%s已去世",
		"申请人：%s，申请低保", "名字叫%s的人", "请联系%s13812342671", "我姓名是%s。"}
	missed, total := 0, 0
	for _, name := range names {
		for _, frame := range frames {
			total++
			text := fmt.Sprintf(frame, name)
			if got := Redact(text); strings.Contains(got, name) {
				missed++
				t.Logf("missed %s", text)
			}
		}
	}
	if missed*100 > total*3 {
		t.Errorf("%d of %d names survive", missed, total)
	}

	missed, total = 0, 0
	for _, place := range []string{"3栋2单元501室", "A栋1单元302", "12号楼1503室", "5幢601室", "二栋三单元四零二", "7座1102室", "3-2-501", "18栋1单元2601号", "9号楼三单元702房", "1栋403户"} {
		for _, frame := range []string{"我家住在保利花园%s，漏水", "地址：武汉市洪山区珞喻路%s", "%s的楼上装修", "业主反映%s夜间噪音", "住%s。", "万科城%s有人养狗"} {
			total++
			text := fmt.Sprintf(frame, place)
			room := regexp.MustCompile(`[0-9一二三四五六七八九零]+\D?$`).FindString(place)
			if got := Redact(text); strings.Contains(got, room) || strings.Contains(got, place) {
				missed++
				t.Logf("missed %s: %s", text, got)
			}
		}
	}
	if missed*100 > total*3 {
		t.Errorf("%d of %d dwellings survive", missed, total)
	}
}

func TestMasks(t *testing.T) {
	for in, want := range map[string]string{
		"13812342671": "138****2671", "138-1234-2671": "138****2671", "+8613812342671": "138****2671", "02787654321": "027****4321", "87654321": "****321", "12345": "****", "": "", "无": "****",
	} {
		if got := MaskPhone(in); got != want {
			t.Errorf("phone %q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"张三丰": "张**", "李四": "李*", "欧阳娜娜": "欧阳**", "欧阳": "欧*", "王": "*", "": "", "阿卜杜拉·买买提江": "阿***", "John Smith": "J***", " 张三 ": "张*"} {
		if got := MaskName(in); got != want {
			t.Errorf("name %q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"武汉市洪山区关山街道保利花园3栋": "武汉市洪山区关山街道****", "武汉市洪山区珞喻路1037号": "武汉市洪山区珞喻路****", "黄梅县小池镇三组12号": "黄梅县小池镇****",
		"武汉市江夏区保利花园3栋": "武汉市江夏区****", "保利花园3栋501": "****", "": "", "武汉市洪山区": "武汉市洪山区",
	} {
		if got := MaskAddress(in); got != want {
			t.Errorf("address %q: %q, want %q", in, got, want)
		}
	}
}

func BenchmarkRedact(b *testing.B) {
	text := strings.Repeat("我叫张伟，家住武汉市洪山区关山街道保利花园3栋2单元501室，电梯坏了半个月没人修，物业一直推脱，请打13812342671联系。", 4)
	b.ReportAllocs()
	for b.Loop() {
		Redact(text)
	}
}
