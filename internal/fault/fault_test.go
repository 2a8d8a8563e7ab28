package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"hotline/internal/fault"
)

func TestKindsHaveTheirStatus(t *testing.T) {
	for _, tt := range []struct {
		err  *fault.Error
		kind fault.Kind
		want int
	}{
		{fault.Invalid("x", "输入有误。"), fault.KindInvalid, 422},
		{fault.Unauthenticated("x", "请先登录。"), fault.KindUnauthenticated, 401},
		{fault.Forbidden("x", "无权操作。"), fault.KindForbidden, 403},
		{fault.NotFound("x", "没有找到。"), fault.KindNotFound, 404},
		{fault.Conflict("x", "情况有变。"), fault.KindConflict, 409},
		{fault.TooMany("x", "太频繁。"), fault.KindTooMany, 429},
		{fault.Unavailable("x", "暂不可用。"), fault.KindUnavailable, 503},
		{fault.Internal(errors.New("a defect")), fault.KindInternal, 500},
	} {
		if got := fault.KindOf(tt.err); got != tt.kind || got.Status() != tt.want {
			t.Errorf("%s: kind %s, status %d, want %s, %d", tt.err.Detail, got, got.Status(), tt.kind, tt.want)
		}
	}
	if got := fault.KindOf(nil); got != "" {
		t.Errorf("no error is of kind %q", got)
	}
}

// An error keeps its code through wrapping; what is no fault becomes a defect
// whose cause people never see.
func TestWrapping(t *testing.T) {
	cause := errors.New("disk full")
	err := fmt.Errorf("save: %w", fault.Unavailable("store_full", "存储已满，请联系系统管理员。").Because(cause))
	if !fault.Is(err, "store_full") || !errors.Is(err, cause) || fault.As(err).Code != "store_full" {
		t.Errorf("wrapped: %v", err)
	}
	if e := fault.As(cause); e.Code != "internal" || strings.Contains(e.Detail, "disk") {
		t.Errorf("a defect: %+v", e)
	}
	if e := fault.Invalid("n", "最多%d件。", 3).At(fault.Field{Name: "n", Detail: "太多。"}); e.Detail != "最多3件。" || len(e.Fields) != 1 {
		t.Errorf("text and field: %+v", e)
	}
}
