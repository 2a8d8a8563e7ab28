package access

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a policy changes is said in the words of its page.
func TestRulesDifferences(t *testing.T) {
	is := StrictRules()
	is.MinLength, is.ForceFirst, is.SecondFactor = 12, false, append(is.SecondFactor, Privacy)
	got := PolicyOf().Diff(StrictRules().JSON(), is.JSON())
	want := []string{"密码最短长度：10 → 12", "首次登录改密：是 → 否", "须双因素登录的岗位：安全管理员、审计管理员、系统管理员 → 个人信息保护负责人、安全管理员、审计管理员、系统管理员"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
