// Package chatapi speaks the dialect of Aimylogic's and JAICP's Chat API channel
// (specs/chatapi.md): synchronous and asynchronous questions, events, history,
// saved state, statuses, and the channel's webhook. It decodes, calls the core
// and encodes; README.md lists what is served and every choice made where the
// vendor is silent.
package chatapi
