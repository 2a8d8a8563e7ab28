package measure

import "strconv"

// Moments of a row by which atoms are dated. An atom without a moment is live:
// it counts what is so now and stands under day 0.
const (
	live       = iota
	atReceived // 受理: leg 1 only
	atDispatch // 派单 of the leg, or the assignment of a unit
	atLate     // the moment the leg went over its deadline
	atClosed   // 办结
	atJudged   // 评价
	moments
)

// momentColumn names the moment in stat_row.
var momentColumn = [moments]string{"", "received", "dispatched", "late", "closed", "judged"}

// Marks of a row (标记), one bit each; they are stored, so only append.
const (
	mInvalid   = 1 << iota // 无效
	mDirect                // 直接答复
	mTold                  // 引导 or 转接
	mRepeat                // 重复诉求
	mCited                 // the answer cites an article
	mMiss                  // 知识未命中
	mFirst                 // 首派
	mWrong                 // 首派后同意退单
	mPrompt                // dispatched within promptLimit
	mMerged                // closed as a child of a 主单: its handling is counted there
	mOnTime                // 按时办结
	mExtended              // 延期
	mRedone                // the result was not accepted: 重办 or 提级 followed
	mContacted             // 联系过诉求人
	mContact24             // within 24 hours of dispatch
	mNoContact             // anonymous: nobody to contact or call back
	mReached               // a real answer of the citizen
	mSatisfied             // 基本满意 or better
	mSolved                // 诉求人认为已解决
	mCalled                // 回访 finished by a call, reached or not
	mExempt                // 免评
	mSpecial               // 行政调解 or 执法办案: leaves only satisfaction
	mUnit                  // the row is an assignment of one unit, not a leg
	mMain                  // as 主办
	mReturned              // 申请退单
	mDenied                // 不当退单: the return was denied
	mSigned                // 签收
	mSignLate              // not signed in time
	mOpen                  // 在办
)

// promptLimit is the time from 受理 to the first 派单 that counts as prompt, ms.
const promptLimit = 30 * 60 * 1000

// contactLimit is 先行联系 within 24 hours, ms.
const contactLimit = 24 * 3600 * 1000

// Atom (计数项) is one countable fact about a row.
type atom struct {
	name   string
	when   int
	with   int64  // all these marks are set
	none   int64  // and none of these
	legs   bool   // rows of legs only
	units  bool   // rows of units only
	column string // summed column instead of 1: wait, moves or took
}

// atoms are in the order of the columns of stat_day.
var atoms = []atom{
	{name: "received", when: atReceived, legs: true},
	{name: "invalid", when: atReceived, with: mInvalid, legs: true},
	{name: "direct", when: atReceived, with: mDirect, legs: true},
	{name: "told", when: atReceived, with: mTold, legs: true},
	{name: "repeated", when: atReceived, with: mRepeat, legs: true},
	{name: "cited", when: atReceived, with: mDirect | mCited, legs: true},
	{name: "missed", when: atReceived, with: mDirect | mMiss, legs: true},
	{name: "first", when: atDispatch, with: mFirst, legs: true},
	{name: "wrong", when: atDispatch, with: mFirst | mWrong, legs: true},
	{name: "prompt", when: atDispatch, with: mFirst | mPrompt, legs: true},
	{name: "wait", when: atDispatch, with: mFirst, legs: true, column: "wait"},
	{name: "late", when: atLate, with: mOpen, legs: true},
	{name: "closed", when: atClosed, none: mMerged, legs: true},
	{name: "ontime", when: atClosed, with: mOnTime, none: mMerged, legs: true},
	{name: "extended", when: atClosed, with: mExtended, none: mMerged, legs: true},
	{name: "redone", when: atClosed, with: mRedone, none: mMerged, legs: true},
	{name: "moves", when: atClosed, none: mMerged, legs: true, column: "moves"},
	{name: "took", when: atClosed, none: mMerged, legs: true, column: "took"},
	{name: "contactable", when: atClosed, none: mMerged | mNoContact, legs: true},
	{name: "contacted", when: atClosed, with: mContacted, none: mMerged | mNoContact, legs: true},
	{name: "contact24", when: atClosed, with: mContact24, none: mMerged | mNoContact, legs: true},
	{name: "judged", when: atJudged, with: mReached, legs: true},
	{name: "satisfied", when: atJudged, with: mReached | mSatisfied, legs: true},
	{name: "solved", when: atJudged, with: mReached | mSolved, legs: true},
	{name: "special", when: atJudged, with: mReached | mSpecial, legs: true},
	{name: "special_satisfied", when: atJudged, with: mReached | mSpecial | mSatisfied, legs: true},
	{name: "called", when: atJudged, with: mCalled, legs: true},
	{name: "called_through", when: atJudged, with: mCalled | mReached, legs: true},
	{name: "assigned", when: atDispatch, with: mUnit | mMain, units: true},
	{name: "returned", when: atDispatch, with: mUnit | mMain | mReturned, units: true},
	{name: "denied", when: atDispatch, with: mUnit | mMain | mDenied, units: true},
	{name: "signed", when: atDispatch, with: mUnit | mSigned, units: true},
	{name: "unsigned", when: atDispatch, with: mUnit | mSignLate, none: mSigned, units: true},
	{name: "sign_late", when: atDispatch, with: mUnit | mSignLate | mSigned, units: true},
	{name: "open", when: live, with: mOpen, legs: true},
	{name: "overdue", when: live, with: mOpen, legs: true},
}

// vec holds one count for each atom.
type vec [36]int64

var atomIndex = func() map[string]int {
	m := map[string]int{}
	for i, a := range atoms {
		m[a.name] = i
	}
	if len(atoms) != len(vec{}) {
		panic("measure: vec and atoms differ")
	}
	return m
}()

// platformSide tells whether an atom belongs to the platform's own work, so
// that no unit below is credited or blamed for it.
func (a atom) platformSide() bool { return a.when == atReceived || a.with&mFirst != 0 }

// count is what a row adds to the atom.
func (a atom) count(r *row) int64 {
	if a.legs && r.marks&mUnit != 0 || a.units && r.marks&mUnit == 0 || r.marks&a.with != a.with || r.marks&a.none != 0 {
		return 0
	}
	if a.when != live && r.moment(a.when) == 0 {
		return 0
	}
	switch a.column {
	case "wait":
		return max(0, (r.dispatched-r.received)/1000)
	case "moves":
		return r.moves
	case "took":
		return max(0, (r.closed-r.dispatched)/1000)
	}
	if a.name == "overdue" && r.late == 0 {
		return 0
	}
	return 1
}

// where is the SQL condition under which a row counts; the moment is bound apart.
func (a atom) where() string {
	need := a.with
	none := a.none
	if a.legs {
		none |= mUnit
	}
	w := "(marks & " + strconv.FormatInt(need|none, 10) + ") = " + strconv.FormatInt(need, 10)
	if a.name == "overdue" {
		w += " AND late > 0"
	}
	return w
}

// expr is the SQL sum of the atom over rows that share its moment.
func (a atom) expr() string {
	n := "1"
	switch a.column {
	case "wait":
		n = "(dispatched - received) / 1000"
	case "moves":
		n = "moves"
	case "took":
		n = "(closed - dispatched) / 1000"
	}
	return "SUM(CASE WHEN " + a.where() + " THEN " + n + " ELSE 0 END)"
}

func (v *vec) add(o vec) {
	for i := range v {
		v[i] += o[i]
	}
}

func (v vec) zero() bool { return v == vec{} }
