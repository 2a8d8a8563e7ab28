// Command try plays a foreign call centre before a running platform, so that the
// connection can be seen in a browser: put the configuration that it prints into
// DIR/voice/cti/try.json, start the platform, log in as an agent of the city.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"hotline/internal/clock"
	"hotline/test/fake/callcentre"
)

func main() {
	to := flag.String("to", "http://127.0.0.1:12345", "平台地址")
	listen := flag.String("listen", "127.0.0.1:9000", "本程序接受指令的地址")
	platform := flag.String("platform", "P420500", "平台的机构代码")
	agent := flag.String("agent", "1001", "座席工号")
	number := flag.String("number", "13871234567", "来电号码")
	every := flag.Duration("every", 20*time.Second, "没有通话时隔多久来一个电话")
	flag.Parse()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // the example of Standard Webhooks
	clk := clock.System()
	s, err := callcentre.New(secret, func() int64 { return clock.Millis(clk.Now()) })
	if err != nil {
		log.Fatal(err)
	}
	s.To = *to + "/api/v1/cti/try/events"
	fmt.Printf("{\"title\": \"试接话务平台\", \"platform\": %q, \"url\": \"http://%s\", \"secret\": %q}\n", *platform, *listen, secret)
	go func() { log.Fatal(http.ListenAndServe(*listen, s.Config.Handler)) }()
	s.SignOn(*agent)
	for err := s.Introduce(); err != nil; err = s.Introduce() {
		log.Print(err)
		time.Sleep(2 * time.Second)
	}
	for last := clk.Now(); ; time.Sleep(300 * time.Millisecond) {
		if s.Open() != "" {
			last = clk.Now()
		} else if clk.Now().Sub(last) > *every {
			s.Call("12345", *number)
		}
		if err := s.Deliver(); err != nil {
			log.Print(err)
			time.Sleep(2 * time.Second)
		}
	}
}
