package zh

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPinyinReadsPlacesAsLocalsDo(t *testing.T) {
	for name, want := range map[string]string{
		"硚口区": "qiaokouqu", "监利市": "jianlishi", "郧阳区": "yunyangqu", "郧西县": "yunxixian", "洪湖市": "honghushi", "大冶市": "dayeshi",
		"蕲春县": "qichunxian", "猇亭区": "xiaotingqu", "点军区": "dianjunqu", "黄陂区": "huangpiqu", "长阳": "changyang", "宜都市": "yidushi",
		"曾都区": "zengduqu", "浠水县": "xishuixian", "秭归县": "ziguixian", "掇刀区": "duodaoqu", "沌口街道": "zhuankoujiedao", "还地桥镇": "huandiqiaozhen",
		"长埫口镇": "changshangkouzhen", "总路咀镇": "zongluzuizhen", "佛子山镇": "fozishanzhen", "厦铺镇": "xiapuzhen", "丰乐镇": "fenglezhen", "西塞山区": "xisaishanqu",
		"汈汊湖": "diaochahu", "茅箭区": "maojianqu", "乐天溪镇": "letianxizhen", "神农架林区": "shennongjialinqu", "随县": "suixian", "重阳路": "chongyanglu",
	} {
		if got := Pinyin(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	for s, want := range map[string]string{
		"洪山区": "hsq", "监利": "jl", "恩施土家族苗族自治州": "estjzmzzzz", "12345热线": "12345rx", "A 区，三栋": "aqsd", "": "", "市长信箱": "szxx", "银行": "yh",
	} {
		if got := Initials(s); got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
}

func TestReadingsHaveOneSyllableACharacter(t *testing.T) {
	for word, r := range readings {
		if n := utf8.RuneCountInString(word); n != len(strings.Fields(r)) || n > longestReading {
			t.Errorf("%s: %q", word, r)
		}
	}
}
