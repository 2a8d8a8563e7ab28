// Package knowledge is the library of answers (知识库): articles with source,
// responsible unit, region and validity, written by departments, published by a
// second person, searched by seats and citizens, cited in answers.
//
// An article has a working copy, which editors change, and apart from it the
// published copy, which readers see: a revision shows nowhere before it is
// published. Every saved text and every publication is kept, so AsOf tells what
// was said on any day. Nothing that is unpublished, expired or not yet in force
// is ever offered by Search or Hot.
//
// Search ranks in memory (the database's own text indexes took 30–400 ms for
// ten thousand articles). The index belongs to the process and follows a
// counter that publications move in their transaction; each search compares the
// counter first and reads its hits from the same snapshot, so it is never
// behind the database. The table knowledge_text finds working copies for the
// editors' list.
//
// The package writes no ticket and asks no outside service. It is called by
// api, by the citizen site through app, and follows ticket events for citations.
package knowledge
