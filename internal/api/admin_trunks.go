package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"hotline/internal/access"
	"hotline/internal/org"
	"hotline/internal/region"
	"hotline/internal/voice/flow"
)

// TrunkOut is a carrier's connection (中继) as it stands.
type TrunkOut struct {
	Name       string `json:"name"`
	Address    string `json:"address" doc:"空为只呼入"`
	Transport  string `json:"transport"`
	RegionName string `json:"region_name"`
	State      string `json:"state" enum:"up,down,asking,inbound" doc:"up 可用、down 不可用、asking 探测中、inbound 只呼入不探测"`
	StateLabel string `json:"state_label"`
	By         string `json:"by" doc:"以注册还是探测得知"`
	Since      string `json:"since" doc:"现在的状态从何时起"`
	Last       string `json:"last" doc:"最近一次应答或等不到应答的时刻"`
	Until      string `json:"until" doc:"注册有效到"`
	Calls      int    `json:"calls" doc:"现在占用的通话方"`
	Failed     string `json:"failed" doc:"最近一次失败的时刻，空为没有"`
	Error      string `json:"error" doc:"最近一次失败的原因"`
}

func trunkOut(t flow.TrunkState) TrunkOut {
	o := TrunkOut{Name: t.Trunk.Name, Address: t.Address, Transport: strings.ToUpper(t.Transport), RegionName: region.FullName(t.Region), Calls: t.Calls, Since: stamp(t.Since), Last: stamp(t.Last), Until: stamp(t.Until), Failed: stamp(t.Failed)}
	if o.Transport == "" {
		o.Transport = "UDP"
	}
	o.By = "探测"
	if t.Registers {
		o.By = "注册"
	}
	switch {
	case t.Address == "":
		o.State, o.StateLabel, o.By = "inbound", "只呼入", "不探测"
	case !t.Asked:
		o.State, o.StateLabel = "asking", "等待应答"
	case t.Up && t.Registers:
		o.State, o.StateLabel = "up", "已注册"
	case t.Up:
		o.State, o.StateLabel = "up", "可用"
	case t.Registers:
		o.State, o.StateLabel = "down", "未注册"
	default:
		o.State, o.StateLabel = "down", "不可用"
	}
	if t.Failed > 0 {
		o.Error = trunkFault(t.FailCode)
	}
	return o
}

// trunkFault says what a failed OPTIONS or REGISTER means and where to look.
func trunkFault(code int) string {
	switch code {
	case 0:
		return "没有应答，请查线路、地址和防火墙。"
	case 401, 403, 407:
		return fmt.Sprintf("对方拒绝注册（%d），请核对账号和密码文件。", code)
	case 404:
		return "对方没有这个账号（404），请核对账号和域。"
	case 408, 503:
		return fmt.Sprintf("对方忙或停止服务（%d），请联系运营商。", code)
	}
	return fmt.Sprintf("对方回%d，请联系运营商。", code)
}

func (a *API) trunkRoutes() {
	type listOut struct {
		Items []TrunkOut `json:"items"`
		SIP   string     `json:"sip" doc:"交换机的信令地址，空为没有语音平台"`
	}
	route(a, http.MethodGet, "/api/v1/admin/trunks", "admin-trunks", "中继状态", Rule{Verbs: []access.Verb{access.Config}, Free: "只含线路状态，页面每几秒重读"}, func(ctx context.Context, _ *struct{}) (*struct{ Body listOut }, error) {
		out := listOut{Items: []TrunkOut{}}
		if a.Voice == nil {
			return &struct{ Body listOut }{out}, nil
		}
		list, err := a.Voice.TrunkStates(ctx)
		if err != nil {
			return nil, err
		}
		out.SIP, _ = a.Voice.Linked()
		u := a.Org.Tree().Platform(actorOf(ctx).Unit)
		for _, t := range list {
			if u.Kind == org.KindProvince || t.Region == u.Region {
				out.Items = append(out.Items, trunkOut(t))
			}
		}
		return &struct{ Body listOut }{out}, nil
	})
}
