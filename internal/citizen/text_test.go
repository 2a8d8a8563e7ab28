package citizen

import (
	"net/url"
	"testing"
)

// The conversation of a link works without a script, and is the first writer's alone.
func TestConversationIsItsHoldersAlone(t *testing.T) {
	b := visit(t)
	at := "/text/" + deskTalk
	s := b.get(at)
	s.has(t, "您好，请讲。", "12345座席", `maxlength="500"`, "刷新看回复")
	if s := b.post(at, url.Values{"text": {""}, "key": {"k"}}); s.code != 422 {
		t.Errorf("nothing written: %d", s.code)
	}
	s = b.post(at, url.Values{"text": {"楼道有煤气味"}, "key": {s.field("key")}})
	if s.code != 200 {
		t.Fatalf("written: %d", s.code)
	}
	s.has(t, "楼道有煤气味")
	stranger := visit(t)
	stranger.url = b.url
	if s := stranger.get(at); s.code != 403 {
		t.Errorf("another browser sees it: %d", s.code)
	}
	if s := b.get("/text/k3v9p2"); s.code != 404 {
		t.Errorf("an unknown link: %d", s.code)
	}
}
