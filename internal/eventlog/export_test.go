package eventlog

// InOrder lets tests see the order in which a batch is sealed.
var InOrder = inOrder
