// Package category is the vocabulary of matters: the platform's own 事项分类
// (three levels with definition, examples, default duty, lowest level, limit,
// legal basis and keywords), the kinds of departments that answer for them,
// what a township may be given, and the time limits.
//
// All of it is embedded data of our own writing and the default of a policy
// document: a platform edits and publishes versions as JSON, which Parse and
// ParseJSON check as strictly as the default. A Tree never changes once made.
//
// The package never reads a clock, a file or a database, and never decides
// which category a text belongs to (insight does) or which unit gets it
// (dispatch does). It is called by org, ticket, insight, dispatch, knowledge,
// demo and the faces.
package category
