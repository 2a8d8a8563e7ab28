package access

import "slices"

// Actor is who does something: an account in a session, a citizen, or the
// system. It is made by Authenticate, Login, AsCitizen or System and passed by
// value; nothing else grants a role.
type Actor struct {
	Account    int64
	Username   string
	Name       string
	Role       Role
	Unit       int64
	Platform   int64
	Region     string
	Session    int64
	IP         string
	System     bool
	Citizen    bool
	Contractor bool   // 外包人员
	Restricted string // why the session may only mend itself: "must_change" or "must_enrol"; "" = no bar
}

// System is the platform itself acting under a name: a follower, a sweep, an
// import, federation. It may do everything and is named in each event.
func System(name string) Actor { return Actor{Username: name, Name: name, System: true} }

// AsCitizen is a citizen who proved a query code or a login; contact is the id
// of the person in the contact room, 0 for an anonymous one.
func AsCitizen(contact int64, ip string) Actor {
	return Actor{Account: contact, Role: Citizen, IP: ip, Citizen: true}
}

// May tells whether the actor may do the verb at all; whether on this ticket
// is a matter of its scope and of the rule table. Denials override: contractors
// and sessions that must first change their password are held back.
func (a Actor) May(v Verb) bool {
	switch {
	case a.System:
		return true
	case a.Restricted != "":
		return false
	case a.Contractor && slices.Contains(contractorDenied, v):
		return false
	}
	return GrantOf(a.Role).May(v)
}

// Cleared tells whether the actor may know of tickets of the label.
func (a Actor) Cleared(l Label) bool {
	if a.System {
		return l.Rank() >= 0
	}
	return a.Restricted == "" && GrantOf(a.Role).Cleared(l)
}
