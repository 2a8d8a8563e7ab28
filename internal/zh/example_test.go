package zh_test

import (
	"fmt"

	"hotline/internal/zh"
)

// The redacted rendition keeps what happened and where, and loses who.
func ExampleRedact() {
	fmt.Println(zh.Redact("我叫李小明，电话13800002671，身份证42010619900307461X，住保利时代3栋2单元502，楼下工地夜间施工。"))
	// Output:
	// 我叫李**，电话***********，身份证******************，住保利时代*栋*单元***，楼下工地夜间施工。
}

// Masks show just enough to recognise a person one already knows.
func ExampleMaskPhone() {
	fmt.Println(zh.MaskName("李小明"), zh.MaskPhone("13800002671"))
	// Output:
	// 李** 138****2671
}

// A place is found by the first letters of its pinyin.
func ExampleInitials() {
	fmt.Println(zh.Initials("洪山区"), zh.Initials("十堰市"))
	// Output:
	// hsq sys
}
