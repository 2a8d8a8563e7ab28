// Package dispatch decides where a ticket should go (派单): a versioned 派单目录
// (category × region × level → unit, with the legal basis), applied as of any
// moment, and the reason for each decision. It decides before the ticket
// acts: the decision goes into the action as data, and ticket never calls up. It never
// writes. Intake asks it for each new ticket, the dispatcher's pages for a replay.
package dispatch
