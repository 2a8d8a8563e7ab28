package main

import (
	"errors"
	"strings"
	"testing"

	"hotline/internal/fault"
)

func TestOnlyWhatIsNotOnesOwnDoingHasACause(t *testing.T) {
	cause := errors.New("db: constraint failed")
	if got := complaint(fault.Conflict("username_taken", "登录名已被使用，请换一个。").Because(cause)); got != "错误：登录名已被使用，请换一个。" {
		t.Fatalf("a name that is taken is told with the words of the database: %s", got)
	}
	if got := complaint(fault.Unavailable("speech_failed", "语音合成服务没有给出声音。").Because(cause)); !strings.HasSuffix(got, "\n原因：db: constraint failed") {
		t.Fatalf("a service that is down is told without its cause: %s", got)
	}
}

func TestEveryTextCommandHasHelp(t *testing.T) {
	for _, name := range []string{"classify", "similar", "search", "redact"} {
		var end exitCode
		if err := commands[name].run(t.Context(), []string{"-h"}); !errors.As(err, &end) || end.code != 0 {
			t.Errorf("%s -h ends with %v", name, err)
		}
	}
}
