package demo

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
)

// surnames are in the order of their frequency in Hubei; the earlier ones are
// drawn more often.
var surnames = []rune("李王张刘陈杨周黄胡吴徐朱何郭罗马高林郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严武戚莫孔向汤")

var (
	menGiven   = []rune("伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林亮建国志海峰成东文博昊天翔")
	womenGiven = []rune("芳娜敏静丽艳娟霞秀玲桂英燕红梅兰琴慧颖洁琳雪莉婷倩蕾欣怡雯佳萍云菊月玉巧珍蓉")
	secondMen  = []rune("国建志文明永家德世俊子海少新宏正庆")
	secondFem  = []rune("小晓丽秀玉美雅春海文思梦雨金淑")
)

// person is a made-up citizen or member of staff.
type person struct {
	Name, Phone, Gender string
}

// named draws a name of two or three characters.
func named(r *rand.Rand) (name, gender string) {
	// The square of a uniform draw prefers the frequent surnames.
	u := r.Float64()
	s := surnames[int(u*u*float64(len(surnames)))]
	given, second, gender := menGiven, secondMen, "男"
	if r.IntN(2) == 0 {
		given, second, gender = womenGiven, secondFem, "女"
	}
	last := given[r.IntN(len(given))]
	if r.IntN(100) < 22 {
		return string([]rune{s, last}), gender
	}
	return string([]rune{s, second[r.IntN(len(second))], last}), gender
}

// mobile prefixes of all carriers; the next four digits are always 0000, so a
// number of the demo can be told from a real one.
var mobilePrefixes = []string{"130", "131", "132", "134", "135", "136", "137", "138", "139", "150", "151", "152", "153", "155", "156", "157", "158", "159", "166", "173", "177", "178", "180", "181", "182", "185", "186", "187", "188", "189", "191", "198", "199"}

// citizen is the n-th person of a city: the same number gives the same person,
// so people call again.
func citizen(seed uint64, city string, n int) person {
	r := rand.New(rand.NewPCG(seed, hash("citizen", city, fmt.Sprint(n))))
	var p person
	p.Name, p.Gender = named(r)
	p.Phone = fmt.Sprintf("%s0000%04d", mobilePrefixes[r.IntN(len(mobilePrefixes))], r.IntN(10000))
	return p
}

// hash mixes strings to a number for seeding draws.
func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// temper is how a unit or city differs from the average, between 0.35 and 2.4
// and 1 on the whole: some return more, some are late more, some please less.
func temper(seed uint64, what, who string) float64 {
	u := float64(hash(fmt.Sprint(seed), what, who)>>11) / (1 << 53)
	return 0.35 + 1.5*u*u*u + 0.55*u
}
