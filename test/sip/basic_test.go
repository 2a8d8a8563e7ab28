package sip_test

import (
	"os"
	"testing"
)

func exit(code int) { os.Exit(code) }

func TestCallIn(t *testing.T) {
	e := start(t)
	run(t, "in.xml", e).wait()
	e.sequence(`invite 12345 from "13900000002"`, "answered sdp=false", "ended 0 16 party")
	c := e.last()
	if h := c.Headers(); h["Diversion"] == "" || h["X-City"] != "4201" || h["P-Asserted-Identity"] == "" {
		t.Errorf("headers %v", h)
	}
	if !c.Incoming() || c.Trunk() != "local" || c.ID() == "" {
		t.Error("the call does not say where it came from")
	}
	e.empty()
}

func TestCallOut(t *testing.T) {
	e := start(t)
	s := run(t, "out.xml", nil)
	e.configure(nil, s.far())
	c := e.dial("13800138000")
	e.expect("answered")
	if err := c.Hangup(16); err != nil {
		t.Fatal(err)
	}
	s.wait()
	e.sequence("progress 180 sdp=false", "answered sdp=true", "ended 0 16 platform")
	e.empty()
}
