package ticket

// Assignment states (承办状态).
const (
	ToSign    = "to_sign"   // 待签收
	InHand    = "handling"  // 办理中
	Delegated = "delegated" // 已下派: a child works on it
	ToReview  = "to_review" // 待审核: the unit's own leader reads the reply
	Replied   = "replied"   // 已答复
	Returning = "returning" // 退单待审
	Returned  = "returned"  // 已退单
	Suspended = "suspended" // 已挂起
	Revoked   = "revoked"   // 已撤销
)

// Roles of an assignment.
const (
	RoleMain   = "main"   // 主办
	RoleAssist = "assist" // 协办
)

// Assignment is a 承办 node: province → city → county → unit is delegation of
// the same kind at every level, and a reply climbs back through the same nodes.
type Assignment struct {
	ID         int64
	Ticket     int64
	Parent     int64 // 0: directly under the platform
	Leg        int
	Depth      int
	Unit       int64
	Role       string
	State      string
	Prior      string // state before returning or suspended
	Handler    int64  // account that signed
	Created    int64
	Signed     int64
	Contacted  int64
	RepliedAt  int64
	Due        int64
	Extensions int
	Returns    int // 1 after this unit asked to return
	Denied     int // 退单 denied: counts as 不当退单
	First      int // 1 = 首办: the return window passed unused
	Contacts   int
	Reply      *Reply // codes of the reply; its text is sealed in ticket_text

	dirty bool
	fresh bool
}

// Reply holds the codes of a 答复.
type Reply struct {
	Mode   string  `json:"mode"`
	Solved string  `json:"solved"`
	Truth  string  `json:"truth"`
	Beyond bool    `json:"beyond,omitempty"`
	Text   int64   `json:"text"`             // ticket_text of the reply
	Public int64   `json:"public,omitempty"` // ticket_text of the public rendition
	Forced bool    `json:"forced,omitempty"` // went over an open 协办 or 诉求点 with a reason
	By     int64   `json:"by"`
	Files  []int64 `json:"files,omitempty"`
}

// Alive tells whether the node still has work before it.
func (a *Assignment) Alive() bool {
	switch a.State {
	case Replied, Returned, Revoked:
		return false
	}
	return true
}

func (a *Assignment) move(state string) {
	a.State = state
	a.dirty = true
}

// Request kinds.
const (
	ReqExtension  = "extension"  // 延期申请
	ReqSuspension = "suspension" // 挂起申请
	ReqReturn     = "return"     // 退单申请
)

// decides gives the kind of request that a step decides.
var decides = map[string]string{"decide-return": ReqReturn, "decide-extension": ReqExtension, "decide-suspension": ReqSuspension}

// Request is an application that somebody above decides.
type Request struct {
	ID         int64
	Ticket     int64
	Assignment int64
	Kind       string
	State      string // pending approved denied void
	Reason     string // code
	Days       int
	Suggested  int64
	By         int64
	At         int64
	Decider    int64
	DecidedAt  int64
	Level      int64 // the node up the line that it has climbed to, 0 = not yet

	dirty bool
	fresh bool
}

// pending gives the open request of a kind on an assignment.
func (t *Ticket) pending(assignment int64, kind string) *Request {
	for _, r := range t.Requests {
		if r.Assignment == assignment && r.State == "pending" && (kind == "" || r.Kind == kind) {
			return r
		}
	}
	return nil
}

// children gives the nodes delegated from a.
func (t *Ticket) children(a *Assignment) []*Assignment {
	var out []*Assignment
	for _, c := range t.Assignments {
		if c.Parent == a.ID && c.Leg == a.Leg {
			out = append(out, c)
		}
	}
	return out
}

// assistsOf gives the 协办 nodes that serve the same parent as a.
func (t *Ticket) assistsOf(a *Assignment) []*Assignment {
	var out []*Assignment
	for _, c := range t.Assignments {
		if c.Leg == a.Leg && c.Parent == a.Parent && c.Role == RoleAssist && c.ID != a.ID {
			out = append(out, c)
		}
	}
	return out
}
