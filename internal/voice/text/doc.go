// Package text keeps conversations in writing (文字会话) with callers who cannot
// speak or hear: a call gives its number a link by text message, the citizen
// writes on a page of the public site, the seat answers from the console. flow
// opens conversations, api and the public site read and write them. What is
// written is sealed; nothing here sends anything.
package text
