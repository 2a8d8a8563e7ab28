// Package citizen is the public face of the hotline: the portal, the request
// form, the progress pages, 热点问答, the list of numbers and the notices, as
// server-rendered pages that work without JavaScript, in a standard version
// and in a 关怀版 (large type, one question per page).
//
// It never touches the database and never decides anything about a ticket: it
// asks Services, which app builds over intake, ticket, knowledge, notify, line
// and measure. It keeps no state of its own between requests; what a visitor
// may look at travels in a sealed cookie, half-filled forms in a sealed hidden
// field, and no address (URL) ever carries personal data or a query code.
//
// app mounts Handler at the root of the public listener.
package citizen
